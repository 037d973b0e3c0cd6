//! Why a run does not end well.

use std::io;
use std::path::PathBuf;

use quorate::ReplicaId;
use quorate_node::Exit;
use quorate_node::ledger_client::ConnectError;
use quorate_node::network::NetworkError;

use crate::signals::Interrupt;

/// Why a run does not end well.
#[derive(Debug, thiserror::Error)]
pub enum TestnetError {
    /// What was asked for cannot be done.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a file makes no sense.
    #[error("{}: {problem}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
    /// The network cannot be made.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A client cannot be started.
    #[error("client {client}: {source}")]
    Connect {
        /// Which one.
        client: usize,
        /// Why.
        source: ConnectError,
    },
    /// The system did not give what is needed.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The process of a replica has ended by itself.
    #[error("replica {replica} has ended by itself ({ending}); its log ends with:\n{log}")]
    ReplicaEnded {
        /// Which one.
        replica: ReplicaId,
        /// Its exit code or signal.
        ending: String,
        /// The last lines of its log.
        log: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {seconds} s\n{state}")]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// What the replicas say of themselves.
        state: String,
    },
    /// The run has ended, and something is not as it must be. What it is stands in the report.
    #[error("the run has failed: {0}")]
    Failed(String),
    /// A signal has ended it.
    #[error("{0}")]
    Interrupted(Interrupt),
}

impl TestnetError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            TestnetError::Usage(_) => Exit::Usage.code(),
            TestnetError::File { .. } | TestnetError::System { .. } => Exit::Io.code(),
            TestnetError::BadFile { .. } => Exit::Damaged.code(),
            TestnetError::Network(error) => error.exit().code(),
            TestnetError::Connect { source, .. } => source.exit().code(),
            TestnetError::ReplicaEnded { .. } | TestnetError::TooLate { .. } | TestnetError::Failed(_) => {
                Exit::Incomplete.code()
            }
            TestnetError::Interrupted(interrupt) => interrupt.exit_code(),
        }
    }
}
