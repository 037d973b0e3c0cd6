//! Opens and receives the streams of each connection.
//!
//! Why not the ready-made behaviour of `libp2p-stream`: it hands out inbound streams without the connection they belong
//! to and drops them when two come at once, picks any of a peer's connections for an outbound one, and keeps a
//! sender for every connection there ever was, so that a peer could fill the memory by reconnecting. Here streams
//! live and die with their connection: each side opens one per class as soon as the connection stands, and whatever goes
//! wrong with any of them ends the connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream,
    StreamProtocol, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// What happened to the streams of a connection.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// The peer opened a stream.
    Inbound(Stream),
    /// A stream that this side asked for is open.
    Outbound(Stream),
    /// A stream that this side asked for could not be opened.
    Failed(String),
}

/// The streams of one endpoint: their protocol and number.
#[derive(Clone, Debug)]
pub(crate) struct StreamPlan {
    pub(crate) protocol: StreamProtocol,
    /// How many streams each side opens.
    pub(crate) outbound: usize,
    pub(crate) timeout: Duration,
}

/// The behaviour that passes on the streams of all connections.
pub(crate) struct Streams {
    plan: StreamPlan,
    events: VecDeque<(ConnectionId, StreamEvent)>,
}

impl Streams {
    pub(crate) fn new(plan: StreamPlan) -> Self {
        Streams { plan, events: VecDeque::new() }
    }

    fn handler(&self) -> StreamHandler {
        StreamHandler { plan: self.plan.clone(), to_open: self.plan.outbound, events: VecDeque::new() }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = StreamHandler;
    type ToSwarm = (ConnectionId, StreamEvent);

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.events.push_back((id, event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(ToSwarm::GenerateEvent(event)))
    }
}

/// The streams of one connection.
pub(crate) struct StreamHandler {
    plan: StreamPlan,
    /// Streams not yet asked for.
    to_open: usize,
    events: VecDeque<StreamEvent>,
}

impl StreamHandler {
    fn protocol(&self) -> SubstreamProtocol<ReadyUpgrade<StreamProtocol>> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.plan.protocol.clone()), ()).with_timeout(self.plan.timeout)
    }
}

impl ConnectionHandler for StreamHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = StreamEvent;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        self.protocol()
    }

    /// A connection ends when the driver says so, not because it is idle.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if self.to_open > 0 {
            self.to_open -= 1;
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol: self.protocol() });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        match event {}
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enum: what is left out needs no answer")]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.events.push_back(StreamEvent::Inbound(protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.events.push_back(StreamEvent::Outbound(protocol));
            }
            ConnectionEvent::DialUpgradeError(error) => {
                self.events.push_back(StreamEvent::Failed(error.error.to_string()));
            }
            _ => {}
        }
    }
}
