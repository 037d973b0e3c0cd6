//! Who may have a connection: known keys only, and a bounded number each. Decided right after the Noise handshake,
//! before anything else of the connection exists.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::limits::Limits;
use crate::peers::Peers;
use crate::quiet_log::QuietLog;
use crate::stats::ListenerCounters;

/// Connections of one peer beyond `connections_per_peer`: the newest, which replaces another, and some being closed.
const CLOSING_PER_PEER: usize = 4;

/// Why a connection was refused.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("its key is not known here")]
    Stranger,
    #[error("it has too many connections")]
    TooManyOfPeer,
    #[error("there are too many connections")]
    TooMany,
}

/// The behaviour that refuses connections.
pub(crate) struct Gate {
    peers: Peers,
    connections_max: usize,
    per_peer_max: usize,
    /// Established connections, those being closed included. Changes only with the swarm's own two events.
    established: BTreeMap<PeerId, usize>,
    counters: Arc<ListenerCounters>,
    log: QuietLog,
}

impl Gate {
    pub(crate) fn new(peers: Peers, limits: &Limits, counters: Arc<ListenerCounters>) -> Self {
        Gate {
            peers,
            connections_max: limits.connections_max,
            per_peer_max: limits.connections_per_peer + CLOSING_PER_PEER,
            established: BTreeMap::new(),
            counters,
            log: QuietLog::default(),
        }
    }

    fn judge(&self, peer: &PeerId) -> Result<(), Refusal> {
        if !self.peers.may_connect(peer) {
            return Err(Refusal::Stranger);
        }
        let of_peer = self.established.get(peer).copied().unwrap_or(0);
        if of_peer >= self.per_peer_max {
            return Err(Refusal::TooManyOfPeer);
        }
        // A peer without a connection is admitted up to the number of peers: others cannot use up its place.
        if of_peer > 0 && self.established.values().sum::<usize>() >= self.connections_max {
            return Err(Refusal::TooMany);
        }
        Ok(())
    }

    fn on_closed(&mut self, peer: PeerId) {
        if let Some(count) = self.established.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.established.remove(&peer);
            }
        }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.judge(&peer).map_err(|refusal| {
            self.counters.refused.add(1);
            self.log.warn(format_args!("refused a connection of {peer} from {from}: {refusal}"));
            ConnectionDenied::new(refusal)
        })?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, .. }) = event {
            *self.established.entry(peer_id).or_default() += 1;
        } else if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, .. }) = event {
            self.on_closed(peer_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
