//! What can be wrong with a home, in words that say what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use quorate::ReplicaId;
use quorate::config::InvalidConfig;
use quorate::genesis::InvalidGenesis;
use quorate_crypto::key_file::KeyFileError;
use quorate_crypto::{Digest, PublicKey};

use crate::exit::Exit;

/// Why a home cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file of the home is not there.
    #[error("{} is missing: check the path of the home, or make a network with `quorate genesis`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is no TOML, or not what belongs into it.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what, as the parser says it.
        message: String,
    },
    /// The genesis cannot be used.
    #[error("{}: {reason}", path.display())]
    Genesis {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: InvalidGenesis,
    },
    /// A setting of the engine is out of range.
    #[error("{}: [engine] {reason}", path.display())]
    Engine {
        /// The file.
        path: PathBuf,
        /// Which.
        reason: InvalidConfig,
    },
    /// The settings were made for another genesis than the one beside them.
    #[error(
        "{}: made for network {expected}, but the genesis.toml beside it is network {found}: restore the genesis.toml that \
         this home was made with", path.display()
    )]
    WrongChain {
        /// The settings.
        path: PathBuf,
        /// The chain that they name.
        expected: Digest,
        /// The chain id of the genesis.
        found: Digest,
    },
    /// The committee has no such member.
    #[error("{}: replica = {replica}, but the committee of genesis.toml has members 0 to {last}", path.display())]
    NotAMember {
        /// The settings.
        path: PathBuf,
        /// Who it should be.
        replica: ReplicaId,
        /// The last member.
        last: usize,
    },
    /// The settings do not name one address for each member.
    #[error("{}: {found} addresses for {expected} members: name one for each, in the order of the committee", path.display())]
    AddressCount {
        /// The settings.
        path: PathBuf,
        /// How many addresses there are.
        found: usize,
        /// How many members there are.
        expected: usize,
    },
    /// An address that cannot be reached, or two that are one.
    #[error("{}: the address {address} {problem}", path.display())]
    Address {
        /// The settings.
        path: PathBuf,
        /// The address.
        address: SocketAddr,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The secret key is not there or cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The secret key is another one than the genesis expects.
    #[error("{}: its public key {found} is not that of {owner} in genesis.toml: use the key of this home", path.display())]
    WrongKey {
        /// The key file.
        path: PathBuf,
        /// Whose key it should be.
        owner: String,
        /// The public key of the file.
        found: PublicKey,
    },
    /// Another process uses the client's key.
    #[error(
        "{} is locked: another process uses this client, and two would close each other's session; wait for it, or use \
         another client", path.display()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder of a new network has something in it.
    #[error("{} is not empty: nothing is overwritten, so name another folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: cannot {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// The answer.
        source: io::Error,
    },
}

impl HomeError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            HomeError::Io { .. } | HomeError::Key(KeyFileError::Io { .. }) => Exit::Io,
            HomeError::Locked { .. } => Exit::Locked,
            HomeError::Missing { .. }
            | HomeError::Syntax { .. }
            | HomeError::Genesis { .. }
            | HomeError::Engine { .. }
            | HomeError::WrongChain { .. }
            | HomeError::NotAMember { .. }
            | HomeError::AddressCount { .. }
            | HomeError::Address { .. }
            | HomeError::Key(_)
            | HomeError::WrongKey { .. }
            | HomeError::NotEmpty { .. } => Exit::Configuration,
        }
    }
}
