//! [`Cluster`]: the replicas of a network as processes on this machine.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use quorate::ReplicaId;
use quorate_node::home::Listen;
use quorate_node::{ClientHome, Exit, Network, NetworkPlan, network};

use crate::byzantine::Liars;
use crate::error::TestnetError;
use crate::folder::NetworkFolder;
use crate::http::Http;
use crate::replica_process::ReplicaProcess;
use crate::replica_status::{Observation, observe};

/// How often a network is made anew because somebody took one of its ports before its replica did.
const ATTEMPTS: u32 = 5;
/// How long the replicas may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What `quorate genesis` writes into the home of a replica. All else is the engine's.
const HOME_FILES: [&str; 3] = ["genesis.toml", "config.toml", "node.key"];

/// What to start.
#[derive(Clone, Debug)]
pub struct ClusterPlan {
    /// This program, which runs a replica as `node --home FOLDER`.
    pub program: PathBuf,
    /// The network.
    pub network: NetworkPlan,
    /// Whether its folder outlives it.
    pub keep: bool,
    /// A replica that damages all parts of the state that it sends to others.
    pub corrupt: Option<ReplicaId>,
    /// The replicas that lie, and how.
    pub liars: Liars,
}

impl ClusterPlan {
    /// What is written on the command line of a replica beside the usual.
    fn options_of(&self, id: ReplicaId) -> Vec<String> {
        let corrupt = (self.corrupt == Some(id)).then(|| vec!["--corrupt-chunks".to_owned()]);
        let lie = self.liars.get(&id).map(|behaviour| vec!["--byzantine".to_owned(), behaviour.name()]);
        corrupt.into_iter().chain(lie).flatten().collect()
    }
}

/// The replicas of a network as processes on this machine. They end when it is dropped, with the thread that started
/// it, and with this process.
#[derive(Debug)]
pub struct Cluster {
    // The processes are dropped before the folder in which they write.
    replicas: Vec<ReplicaProcess>,
    program: PathBuf,
    network: Network,
    liars: Liars,
    http: Http,
    folder: NetworkFolder,
}

impl Cluster {
    /// Makes a network in a fresh temporary folder, starts its replicas, and waits until all of them listen.
    ///
    /// # Errors
    /// [`TestnetError`] when the network cannot be made or a replica does not start.
    pub async fn start(plan: &ClusterPlan) -> Result<Cluster, TestnetError> {
        let mut attempt = 1;
        loop {
            let mut cluster = Self::create(plan)?;
            match cluster.start_all().await {
                Err(StartError::PortTaken(_)) if attempt < ATTEMPTS => attempt += 1,
                Ok(()) => return Ok(cluster),
                Err(StartError::PortTaken(error) | StartError::Other(error)) => return Err(error),
            }
        }
    }

    fn create(plan: &ClusterPlan) -> Result<Cluster, TestnetError> {
        let mut folder = NetworkFolder::create(plan.keep)?;
        let network = network::create(folder.path(), &plan.network)?;
        folder.claim()?;
        let homes = (0..).map(ReplicaId).zip(&network.replicas);
        let replicas = homes.map(|(id, home)| ReplicaProcess::new(id, home.clone(), plan.options_of(id))).collect();
        let http = Http::new(network.addresses.iter().filter_map(|listen| listen.http).collect());
        let (program, liars) = (plan.program.clone(), plan.liars.clone());
        Ok(Cluster { replicas, program, network, liars, http, folder })
    }

    async fn start_all(&mut self) -> Result<(), StartError> {
        let deadline = Instant::now() + START_PATIENCE;
        for replica in &mut self.replicas {
            replica.start(&self.program)?;
        }
        let replicas = self.replicas.iter_mut().zip(&self.network.addresses);
        let ready = try_join_all(replicas.map(|(replica, listen)| ready(replica, listen)));
        match tokio::time::timeout_at(deadline.into(), ready).await {
            Ok(result) => result.map(drop),
            Err(_) => Err(TestnetError::TooLate {
                what: "the start of all replicas".into(),
                seconds: START_PATIENCE.as_secs(),
                state: String::new(),
            }
            .into()),
        }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The folder with everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The replicas that lie, and how.
    #[must_use]
    pub fn liars(&self) -> &Liars {
        &self.liars
    }

    /// Asks the replicas over HTTP.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The processes of the replicas that run.
    pub fn pids(&self) -> impl Iterator<Item = (ReplicaId, u32)> {
        self.replicas.iter().filter_map(|replica| Some((replica.replica(), replica.pid()?)))
    }

    /// Where a replica serves HTTP.
    #[must_use]
    pub fn http_address(&self, replica: ReplicaId) -> Option<SocketAddr> {
        self.network.addresses.get(replica.index()).and_then(|listen| listen.http)
    }

    /// The homes of the clients.
    ///
    /// # Errors
    /// [`TestnetError`] when one cannot be read.
    pub fn client_homes(&self) -> Result<Vec<ClientHome>, TestnetError> {
        let load = |(client, home): (usize, &PathBuf)| {
            ClientHome::load(home).map_err(|error| TestnetError::Connect { client, source: error.into() })
        };
        self.network.clients.iter().enumerate().map(load).collect()
    }

    /// What the replicas say of themselves now.
    pub async fn observe(&self) -> Vec<Observation> {
        let mut observations = observe(&self.http).await;
        for (observation, replica) in observations.iter_mut().zip(&self.replicas) {
            if !replica.is_meant_to_run() {
                *observation = Observation::Killed;
            } else if let Some(behaviour) = self.liars.get(&replica.replica()) {
                let answers = observation.status().is_some();
                *observation = Observation::Lies { how: behaviour.name(), answers };
            }
        }
        observations
    }

    /// Checks that all replicas run which are meant to.
    ///
    /// # Errors
    /// [`TestnetError::ReplicaEnded`] for one that has ended by itself.
    pub fn check(&mut self) -> Result<(), TestnetError> {
        self.replicas.iter_mut().try_for_each(ReplicaProcess::check)
    }

    /// The replicas that have ended by themselves, and how.
    pub fn ended(&mut self) -> Vec<TestnetError> {
        self.replicas.iter_mut().filter_map(|replica| replica.check().err()).collect()
    }

    /// Kills a replica with SIGKILL.
    ///
    /// # Errors
    /// What the system says.
    pub async fn kill(&mut self, replica: ReplicaId) -> Result<(), TestnetError> {
        let process = self.process(replica)?;
        process.kill().await.map_err(|source| TestnetError::System { doing: "kill a replica", source })
    }

    /// Starts a killed replica again. It needs a moment to listen.
    ///
    /// # Errors
    /// As [`ReplicaProcess::start`].
    pub fn restart(&mut self, replica: ReplicaId) -> Result<(), TestnetError> {
        let program = self.program.clone();
        self.process(replica)?.start(&program)
    }

    /// Removes from the home of a killed replica all but its genesis, its settings and its key.
    ///
    /// # Errors
    /// [`TestnetError::File`] with what the system says.
    pub fn empty_home(&self, replica: ReplicaId) -> Result<(), TestnetError> {
        let home = self.network.replicas.get(replica.index());
        let home = home.ok_or_else(|| TestnetError::Usage(format!("there is no replica {replica}")))?;
        let is_kept = |name: &OsStr| HOME_FILES.iter().any(|kept| name == *kept);
        let empty = || {
            for entry in fs::read_dir(home)? {
                let entry = entry?;
                match (is_kept(&entry.file_name()), entry.file_type()?.is_dir()) {
                    (true, _) => {}
                    (false, true) => fs::remove_dir_all(entry.path())?,
                    (false, false) => fs::remove_file(entry.path())?,
                }
            }
            Ok(())
        };
        empty().map_err(|source| TestnetError::File { path: home.clone(), doing: "empty", source })
    }

    fn process(&mut self, replica: ReplicaId) -> Result<&mut ReplicaProcess, TestnetError> {
        let process = self.replicas.get_mut(replica.index());
        process.ok_or_else(|| TestnetError::Usage(format!("there is no replica {replica}")))
    }

    /// Ends all replicas at once, which loses nothing that was acknowledged, and removes the folder unless it is kept.
    ///
    /// # Errors
    /// What the system says.
    pub async fn stop(mut self) -> Result<(), TestnetError> {
        let ends = try_join_all(self.replicas.iter_mut().map(ReplicaProcess::kill)).await;
        ends.map_err(|source| TestnetError::System { doing: "end the replicas", source })?;
        self.folder.close()
    }
}

/// Why the replicas of a network did not start.
enum StartError {
    /// Somebody else listens on one of the ports.
    PortTaken(TestnetError),
    Other(TestnetError),
}

impl From<TestnetError> for StartError {
    fn from(error: TestnetError) -> Self {
        StartError::Other(error)
    }
}

async fn ready(replica: &mut ReplicaProcess, listen: &Listen) -> Result<(), StartError> {
    let ready = replica.ready().await;
    match ready.map_err(|source| TestnetError::System { doing: "hear from a replica", source })? {
        Ok(()) => Ok(()),
        Err(status) if status.code() == Some(Exit::Io.code().into()) && is_taken(listen) => {
            Err(StartError::PortTaken(replica.ended(status)))
        }
        Err(status) => Err(StartError::Other(replica.ended(status))),
    }
}

/// Whether somebody listens on a port of a replica that has ended.
fn is_taken(listen: &Listen) -> bool {
    let ports = [Some(listen.members), Some(listen.clients), listen.http];
    ports.into_iter().flatten().any(|address| TcpListener::bind(address).is_err())
}

/// This program.
///
/// # Errors
/// What the system says.
pub fn this_program() -> Result<PathBuf, TestnetError> {
    let found: io::Result<PathBuf> = std::env::current_exe().and_then(fs::canonicalize);
    found.map_err(|source| TestnetError::System { doing: "find this program", source })
}
