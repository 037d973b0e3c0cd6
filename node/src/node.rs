//! [`Node`]: a replica of the ledger with its networks and HTTP, as a value in this process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quorate::clock::SystemClock;
use quorate::execution::StateMachineApplication;
use quorate::runtime::{Failure, ReplicaParts, ReplicaView, RunningReplica, StartError, StateReader, Transport};
use quorate::storage::{Home, Identity as HomeIdentity, StorageError};
use quorate_net::{ClientListener, ClientListenerConfig, Limits, Member, MemberNet, MemberNetConfig, NetError};

use crate::exit::Exit;
use crate::home::{HomeError, Listen, NodeHome};
use crate::http::{HttpServer, Served};
use crate::served_ledger::ServedLedger;
use crate::transport::{Inbound, NodeTransport};
use crate::wiring::{Gate, Wiring};

/// How often [`Node::step_down`] looks whether another primary has taken over.
const STEP_DOWN_LOOKS: Duration = Duration::from_millis(10);

/// Why a node cannot start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its files cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The engine cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A network cannot be started.
    #[error("{}", with_source(.0))]
    Net(#[from] NetError),
    /// HTTP cannot be served.
    #[error("cannot serve HTTP on {address}: {source}; change `http` under [listen] in config.toml, or remove it")]
    Http {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not give what is needed.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The running replica had to end.
    #[error("the replica had to end: {0}")]
    Failed(#[from] Failure),
}

impl NodeError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            NodeError::Home(error) => error.exit(),
            NodeError::Storage(error) => Exit::of_engine(error.class().exit_code()),
            NodeError::Start(error) => Exit::of_engine(error.exit_code()),
            NodeError::Net(NetError::Listen { .. }) | NodeError::Http { .. } | NodeError::System { .. } => Exit::Io,
            NodeError::Net(_) => Exit::Configuration,
            NodeError::Failed(failure) => Exit::of_engine(failure.exit_code()),
        }
    }
}

fn with_source(error: &NetError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A running node. Dropping it leaves the replica's threads running: call [`Node::stop`].
pub struct Node {
    replica: Arc<RunningReplica>,
    transport: Arc<NodeTransport>,
    http: Option<HttpServer>,
    listen: Listen,
    /// Whether there is somebody who could take over.
    has_peers: bool,
}

impl Node {
    /// Locks the home, recovers what it promises, and starts to listen. Runs on the tokio runtime of the caller.
    ///
    /// # Errors
    /// [`NodeError`] when the files, the keys or the addresses cannot be used. Nothing runs any more then.
    pub async fn start(home: &NodeHome) -> Result<Node, NodeError> {
        Self::start_over(home, Wiring::direct).await
    }

    /// As [`Node::start`], with what is made of the node's wiring: for tests of a faulty network or replica.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub async fn start_over(
        home: &NodeHome,
        wire: impl FnOnce(Arc<dyn Transport>) -> Wiring,
    ) -> Result<Node, NodeError> {
        let transport = Arc::new(NodeTransport::default());
        let wiring = wire(Arc::clone(&transport) as Arc<dyn Transport>);
        let replica = start_replica(home, wiring.transport).await?;
        let replica = Arc::new(replica);
        let has_peers = home.genesis().committee.size() > 1;
        match connect(home, &replica, &transport, &wiring.gate).await {
            Ok((http, listen)) => Ok(Node { replica, transport, http, listen, has_peers }),
            Err(error) => {
                let listen = home.settings().listen;
                // Why it did not start is what there is to say, not how it ended.
                let _ = Node { replica, transport, http: None, listen, has_peers }.stop().await;
                Err(error)
            }
        }
    }

    /// Where it listens, with the ports that the system chose.
    #[must_use]
    pub fn listen(&self) -> Listen {
        self.listen
    }

    /// Where the replica stands.
    #[must_use]
    pub fn view(&self) -> ReplicaView {
        self.replica.view()
    }

    /// Reads the replica's own state of the ledger, in words of [`LedgerQuery`](crate::served_ledger::LedgerQuery).
    #[must_use]
    pub fn reader(&self) -> StateReader {
        self.replica.reader()
    }

    /// Waits until the replica must end because a part of it failed; for ever while all is well.
    pub async fn failed(&self) -> Failure {
        self.replica.failed().await
    }

    /// If it is the primary, has another one take over, so that nobody has to wait until its absence is noticed. Gives
    /// up after `patience`.
    pub async fn step_down(&self, patience: Duration) {
        let view = self.view();
        if !self.has_peers || view.role != "primary" || !view.voting {
            return;
        }
        self.replica.step_down();
        let mut looks = tokio::time::interval(STEP_DOWN_LOOKS);
        let taken_over = async {
            while self.view().role == "primary" {
                looks.tick().await;
            }
        };
        if tokio::time::timeout(patience, taken_over).await.is_err() {
            tracing::warn!("no other primary took over in time");
        }
    }

    /// Stops in order: HTTP, then the replica, which makes durable what it has and writes a snapshot, then the networks.
    ///
    /// # Errors
    /// [`NodeError::Failed`] when a part had failed before, or the snapshot cannot be written.
    pub async fn stop(self) -> Result<(), NodeError> {
        let Node { replica, transport, http, .. } = self;
        if let Some(http) = http {
            http.stop().await;
        }
        let replica = Arc::into_inner(replica).expect("only HTTP held another, and all its tasks have ended");
        let stopped = blocking(move || replica.stop()).await?;
        if let Some(transport) = Arc::into_inner(transport) {
            transport.shutdown().await;
        }
        Ok(stopped?)
    }
}

/// Runs what waits for disks or threads apart from the tasks of the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NodeError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| NodeError::System { doing: "run a thread to its end", source: io::Error::other(error) })
}

async fn start_replica(home: &NodeHome, transport: Arc<dyn Transport>) -> Result<RunningReplica, NodeError> {
    let (path, identity) = (home.path().to_path_buf(), home.identity());
    blocking(move || {
        let owner =
            HomeIdentity { chain_id: identity.genesis.chain_id(), replica: identity.id, key: identity.key.public() };
        let home = Home::open_or_create(&path, owner)?;
        let application = StateMachineApplication::new(Arc::new(ServedLedger), &identity.genesis.limits);
        let clock = Arc::new(SystemClock::new());
        Ok(RunningReplica::start(ReplicaParts { identity, home, application, transport, clock })?)
    })
    .await?
}

async fn connect(
    home: &NodeHome,
    replica: &Arc<RunningReplica>,
    transport: &Arc<NodeTransport>,
    gate: &Arc<dyn Gate>,
) -> Result<(Option<HttpServer>, Listen), NodeError> {
    let inbound = || Arc::new(Inbound { ingress: replica.ingress(), gate: Arc::clone(gate) });
    let clients = start_clients(home, inbound()).await?;
    let members = start_members(home, inbound()).await?;
    let mut listen = Listen {
        members: members.listen_address(),
        clients: clients.listen_address(),
        http: home.settings().listen.http,
    };
    transport.connect(members, clients);
    let Some(address) = listen.http else { return Ok((None, listen)) };
    let served = Served::new(home, Arc::clone(replica), Arc::clone(transport));
    let http = HttpServer::start(address, served).await;
    let http = http.map_err(|source| NodeError::Http { address, source })?;
    listen.http = Some(http.address());
    Ok((Some(http), listen))
}

async fn start_members(home: &NodeHome, inbound: Arc<Inbound>) -> Result<MemberNet, NetError> {
    let (genesis, settings) = (home.genesis(), home.settings());
    let members = genesis.committee.ids().zip(genesis.committee.keys()).zip(&settings.member_addresses);
    let config = MemberNetConfig {
        key_pair: home.key().clone(),
        chain_id: genesis.chain_id(),
        me: home.replica(),
        members: members.map(|((id, key), address)| Member { id, key: *key, address: *address }).collect(),
        listen: settings.listen.members,
        limits: Limits::members(),
    };
    MemberNet::start(config, inbound).await
}

async fn start_clients(home: &NodeHome, inbound: Arc<Inbound>) -> Result<ClientListener, NetError> {
    let config = ClientListenerConfig {
        key_pair: home.key().clone(),
        chain_id: home.genesis().chain_id(),
        clients: home.genesis().clients.clone(),
        listen: home.settings().listen.clients,
        limits: Limits::clients(),
    };
    ClientListener::start(config, inbound).await
}
