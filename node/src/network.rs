//! Making a network: a genesis, a home for each replica and one for each client.
//!
//! ```text
//! <folder>/genesis.toml
//! <folder>/replica-0/   …   genesis.toml config.toml node.key
//! <folder>/client-0/    …   genesis.toml network.toml client.key
//! ```

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use quorate::clock::{Clock, SystemClock};
use quorate::codec::FORMAT_VERSION;
use quorate::config::InvalidConfig;
use quorate::genesis::{InvalidGenesis, Limits};
use quorate::{ClientId, Committee, Genesis, NodeConfig, ReplicaId};
use quorate_crypto::{Ed25519, KeyPair, key_file};

use crate::exit::Exit;
use crate::home::{ClientHome, ClientSettings, HomeError, Listen, NodeHome, NodeSettings, ReplicaContact, files};
use crate::ports::free_ports;

/// What a network shall be like.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// Its name. Networks with different names have different chain ids.
    pub name: String,
    /// How many replicas: 4 or more tolerate faults; 1 is for development.
    pub replicas: u16,
    /// How many clients.
    pub clients: u16,
    /// The address of the machine on which all replicas will run.
    pub host: IpAddr,
    /// Their ports.
    pub ports: Ports,
    /// The limits in the genesis.
    pub limits: Limits,
    /// The settings of every replica's engine.
    pub engine: NodeConfig,
}

impl Default for NetworkPlan {
    fn default() -> Self {
        NetworkPlan {
            name: "local".into(),
            replicas: 4,
            clients: 1,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: Ports::Free,
            limits: Limits::default(),
            engine: NodeConfig::default(),
        }
    }
}

/// The ports of a network whose replicas run on one machine: three for each replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Ports that are free now.
    Free,
    /// This one and those after it.
    From(u16),
}

/// A network that was made.
#[derive(Clone, Debug)]
pub struct Network {
    /// What all replicas share.
    pub genesis: Genesis,
    /// The homes of the replicas.
    pub replicas: Vec<PathBuf>,
    /// The homes of the clients.
    pub clients: Vec<PathBuf>,
    /// Where the replicas listen.
    pub addresses: Vec<Listen>,
}

/// Why a network cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The genesis would be invalid.
    #[error("the network cannot be made: {0}")]
    Genesis(#[from] InvalidGenesis),
    /// A setting of the engine is out of range.
    #[error("the network cannot be made: {0}")]
    Engine(#[from] InvalidConfig),
    /// There are not enough ports.
    #[error("{needed} ports from {first} on do not exist: choose a lower one")]
    NoSuchPorts {
        /// The first one.
        first: u16,
        /// How many are needed.
        needed: usize,
    },
    /// The system did not give what is needed.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A home could not be written.
    #[error(transparent)]
    Home(#[from] HomeError),
}

impl NetworkError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            NetworkError::Genesis(_) | NetworkError::Engine(_) | NetworkError::NoSuchPorts { .. } => Exit::Usage,
            NetworkError::System { .. } => Exit::Io,
            NetworkError::Home(error) => error.exit(),
        }
    }
}

/// Makes a network in a folder that does not exist or is empty. Nothing is written when the plan is invalid.
///
/// # Errors
/// [`NetworkError`]; when writing failed half-way, the folder has to be removed by hand.
pub fn create(folder: &Path, plan: &NetworkPlan) -> Result<Network, NetworkError> {
    let engine = plan.engine.clone().validated()?;
    let replica_keys = new_keys(plan.replicas)?;
    let client_keys = new_keys(plan.clients)?;
    let genesis = genesis(plan, &replica_keys, &client_keys)?;
    let addresses = addresses(plan)?;
    require_empty(folder)?;

    files::create_folder(folder)?;
    files::write_genesis(folder, &genesis)?;
    let mut network = Network { genesis, replicas: Vec::new(), clients: Vec::new(), addresses };
    for (id, key) in (0..).zip(&replica_keys) {
        network.add_replica(folder, &engine, (ReplicaId(id), key))?;
    }
    for (index, key) in client_keys.iter().enumerate() {
        network.add_client(folder, (index, key))?;
    }
    Ok(network)
}

impl Network {
    fn add_replica(
        &mut self,
        folder: &Path,
        engine: &NodeConfig,
        (replica, key): (ReplicaId, &KeyPair),
    ) -> Result<(), NetworkError> {
        let home = folder.join(format!("replica-{replica}"));
        let listen = self.addresses.get(replica.index()).expect("addresses were made for all replicas of the plan");
        let settings = NodeSettings {
            chain_id: self.genesis.chain_id(),
            replica,
            member_addresses: self.addresses.iter().map(|listen| listen.members).collect(),
            listen: *listen,
            engine: engine.clone(),
        };
        NodeHome::create(&home, &self.genesis, &settings, key)?;
        self.replicas.push(home);
        Ok(())
    }

    fn add_client(&mut self, folder: &Path, (index, key): (usize, &KeyPair)) -> Result<(), NetworkError> {
        let home = folder.join(format!("client-{index}"));
        let contact = |listen: &Listen| ReplicaContact { clients: listen.clients, http: listen.http };
        let replicas = self.addresses.iter().map(contact).collect();
        let settings = ClientSettings { chain_id: self.genesis.chain_id(), replicas };
        ClientHome::create(&home, &self.genesis, &settings, key)?;
        self.clients.push(home);
        Ok(())
    }
}

fn new_keys(count: u16) -> Result<Vec<KeyPair>, NetworkError> {
    let keys = (0..count).map(|_| key_file::generate()).collect::<io::Result<_>>();
    keys.map_err(|source| NetworkError::System { doing: "make a secret key", source })
}

fn genesis(plan: &NetworkPlan, replicas: &[KeyPair], clients: &[KeyPair]) -> Result<Genesis, InvalidGenesis> {
    let genesis = Genesis {
        version: FORMAT_VERSION,
        network: plan.name.clone(),
        time: SystemClock::new().now().wall,
        limits: plan.limits,
        committee: Committee::new(replicas.iter().map(KeyPair::public).collect())?,
        clients: clients.iter().map(|key| ClientId(key.public())).collect(),
    };
    genesis.validate(&Ed25519)?;
    Ok(genesis)
}

fn addresses(plan: &NetworkPlan) -> Result<Vec<Listen>, NetworkError> {
    let needed = 3 * usize::from(plan.replicas);
    let ports: Vec<u16> = match plan.ports {
        Ports::Free => {
            free_ports(plan.host, needed).map_err(|source| NetworkError::System { doing: "find free ports", source })?
        }
        Ports::From(first) => (first..=u16::MAX).take(needed).collect(),
    };
    if let Ports::From(first) = plan.ports
        && (first == 0 || ports.len() < needed)
    {
        return Err(NetworkError::NoSuchPorts { first, needed });
    }
    let at = |port: u16| SocketAddr::new(plan.host, port);
    let (threes, _) = ports.as_chunks::<3>();
    Ok(threes
        .iter()
        .map(|[members, clients, http]| Listen { members: at(*members), clients: at(*clients), http: Some(at(*http)) })
        .collect())
}

fn require_empty(folder: &Path) -> Result<(), HomeError> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(files::io_error(folder, "read")(error)),
    };
    if entries.next().is_none() { Ok(()) } else { Err(HomeError::NotEmpty { path: folder.into() }) }
}
