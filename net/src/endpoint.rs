//! An endpoint: a key, known peers, perhaps a listener, and the task that drives them. The three public kinds of
//! endpoint are thin covers of this one.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::StreamExt;
use libp2p::swarm::{self, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, multiaddr};
use quorate_crypto::{Digest, KeyPair};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::class::Class;
use crate::dials::multiaddress;
use crate::driver::{Behaviour, Driver, DriverParts};
use crate::error::NetError;
use crate::gate::Gate;
use crate::identity;
use crate::limits::Limits;
use crate::link::LinkContext;
use crate::peers::{KnownAddresses, Peer, Peers};
use crate::stats::{ListenerCounters, ListenerStats};
use crate::streams::{StreamPlan, Streams};
use crate::transport::{self, HandshakeLimits};

/// Members among themselves.
pub(crate) const MEMBERS: Role = Role { protocol: "/quorate/member/1", classes: Class::OF_MEMBERS };
/// Clients and replicas.
pub(crate) const CLIENTS: Role = Role { protocol: "/quorate/client/1", classes: Class::OF_CLIENTS };

/// What an endpoint speaks.
pub(crate) struct Role {
    protocol: &'static str,
    classes: &'static [Class],
}

/// What an endpoint needs.
pub(crate) struct EndpointConfig {
    pub(crate) role: Role,
    pub(crate) key_pair: KeyPair,
    pub(crate) chain_id: Digest,
    pub(crate) peers: Vec<Arc<Peer>>,
    pub(crate) known_addresses: KnownAddresses,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) limits: Limits,
}

/// A running endpoint. Dropping it ends its task and with it all connections.
pub(crate) struct Endpoint {
    listen_address: Option<SocketAddr>,
    counters: Arc<ListenerCounters>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Listens, and starts to dial.
    pub(crate) async fn start(config: EndpointConfig) -> Result<Self, NetError> {
        let counters = Arc::new(ListenerCounters::default());
        let peers = Peers::new(config.peers.iter().cloned())?;
        let mut swarm = build_swarm(&config, &peers, &counters)?;
        let listen_address = match config.listen {
            Some(address) => Some(listen(&mut swarm, address).await?),
            None => None,
        };
        let (report_sender, reports) = mpsc::unbounded_channel();
        let context = LinkContext {
            limits: Arc::new(config.limits),
            chain_id: config.chain_id,
            classes: config.role.classes,
            reports: report_sender,
        };
        let driver = Driver::new(DriverParts { swarm, peers, context, reports, counters: counters.clone() });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(driver.run(stopped));
        Ok(Endpoint { listen_address, counters, stop: Some(stop), task })
    }

    /// Where the endpoint listens, with the port that the system chose; `None` when it does not.
    pub(crate) fn listen_address(&self) -> Option<SocketAddr> {
        self.listen_address
    }

    pub(crate) fn listener_stats(&self) -> ListenerStats {
        self.counters.snapshot()
    }

    /// Ends all connections and waits until the listening port is free.
    pub(crate) async fn shutdown(mut self) {
        self.stop = None;
        // An error means that the task has panicked or was cancelled, and so has ended.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn build_swarm(
    config: &EndpointConfig,
    peers: &Peers,
    counters: &Arc<ListenerCounters>,
) -> Result<Swarm<Behaviour>, NetError> {
    let limits = &config.limits;
    let classes = config.role.classes;
    let identity = identity::keypair(&config.key_pair)?;
    let handshakes = HandshakeLimits {
        pending_max: limits.pending_handshakes_max,
        timeout: limits.handshake_timeout,
        close_timeout: limits.close_timeout,
        known: config.known_addresses.clone(),
        counters: counters.clone(),
    };
    let transport = transport::build(&identity, classes, handshakes)?;
    let plan = StreamPlan {
        protocol: StreamProtocol::new(config.role.protocol),
        outbound: classes.len(),
        timeout: limits.handshake_timeout,
    };
    let behaviour = Behaviour { gate: Gate::new(peers.clone(), limits, counters.clone()), streams: Streams::new(plan) };
    let swarm_config =
        swarm::Config::with_tokio_executor().with_max_negotiating_inbound_streams(transport::streams_max(classes));
    Ok(Swarm::new(transport, behaviour, identity.public().to_peer_id(), swarm_config))
}

/// Listens on `address` and returns it with the port that the system chose.
#[expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enum: what is left out needs no answer")]
async fn listen(swarm: &mut Swarm<Behaviour>, address: SocketAddr) -> Result<SocketAddr, NetError> {
    let failed = |source| NetError::Listen { address, source };
    // libp2p shares listening ports between processes: a second one on the same port would not be noticed.
    drop(std::net::TcpListener::bind(address).map_err(failed)?);
    swarm.listen_on(multiaddress(address)).map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address: actual, .. } => {
                let port = tcp_port(&actual).unwrap_or(address.port());
                return Ok(SocketAddr::new(address.ip(), port));
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                return Err(failed(reason.err().unwrap_or_else(|| std::io::Error::other("the listener closed"))));
            }
            SwarmEvent::ListenerError { error, .. } => return Err(failed(error)),
            _ => {}
        }
    }
}

fn tcp_port(address: &Multiaddr) -> Option<u16> {
    address.iter().find_map(|part| if let multiaddr::Protocol::Tcp(port) = part { Some(port) } else { None })
}
