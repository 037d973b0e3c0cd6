//! The home of a client.
//!
//! ```text
//! genesis.toml   what the network shares
//! network.toml   where its replicas listen for clients
//! client.key     the client's secret key, mode 0600
//! lock           held while a process uses the client
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate::{ClientId, Genesis};
use quorate_crypto::{Digest, KeyPair, key_file};
use serde::{Deserialize, Serialize};

use super::error::HomeError;
use super::files;

pub(crate) const NETWORK: &str = "network.toml";
pub(crate) const KEY: &str = "client.key";
const LOCK: &str = "lock";

const HEAD: &str = "\
# Where the replicas of the network can be reached, in the order of the committee. `chain_id` is the hash of genesis.toml.

";

/// Where a client finds one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaContact {
    /// Its listener for clients.
    pub clients: SocketAddr,
    /// Its HTTP, if a client may reach it.
    pub http: Option<SocketAddr>,
}

/// The settings of a client: `network.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// The network, so that a changed genesis is noticed.
    pub chain_id: Digest,
    /// The replicas in the order of the committee.
    pub replicas: Vec<ReplicaContact>,
}

/// The home of a client, with everything checked.
#[derive(Clone, Debug)]
pub struct ClientHome {
    path: PathBuf,
    genesis: Arc<Genesis>,
    settings: ClientSettings,
    key: KeyPair,
}

impl ClientHome {
    /// Reads a home and checks all of it: the genesis, the addresses, and that the genesis lists the client.
    ///
    /// # Errors
    /// [`HomeError`] with the first thing that is wrong and what to do about it.
    pub fn load(path: &Path) -> Result<ClientHome, HomeError> {
        let (genesis, settings) = Self::read_network(path)?;
        let key_path = path.join(KEY);
        let key = key_file::load(&key_path)?;
        if !genesis.clients.contains(&ClientId(key.public())) {
            let owner = "any client".to_owned();
            return Err(HomeError::WrongKey { path: key_path, owner, found: key.public() });
        }
        Ok(ClientHome { path: path.into(), genesis: Arc::new(genesis), settings, key })
    }

    /// The public part of a client's home: enough to ask the replicas how they are.
    ///
    /// # Errors
    /// As [`ClientHome::load`], except for the key, which is not read.
    pub fn read_network(path: &Path) -> Result<(Genesis, ClientSettings), HomeError> {
        let genesis = files::read_genesis(path)?;
        let network = path.join(NETWORK);
        let settings: ClientSettings = files::read_toml(&network)?;
        files::check_chain(&network, settings.chain_id, &genesis)?;
        let addresses: Vec<_> = settings.replicas.iter().map(|replica| replica.clients).collect();
        files::check_addresses(&network, &addresses, genesis.committee.size())?;
        Ok((genesis, settings))
    }

    /// Writes a new home.
    pub(crate) fn create(
        path: &Path,
        genesis: &Genesis,
        settings: &ClientSettings,
        key: &KeyPair,
    ) -> Result<(), HomeError> {
        files::create_folder(path)?;
        files::write_genesis(path, genesis)?;
        files::write_toml(&path.join(NETWORK), HEAD, settings)?;
        Ok(key_file::save(&path.join(KEY), key)?)
    }

    /// Keeps other processes from using the client while the returned file is open: two would close each other's
    /// session.
    pub(crate) fn lock(&self) -> Result<File, HomeError> {
        let path = self.path.join(LOCK);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(files::io_error(&path, "open"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(HomeError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(HomeError::Io { path, doing: "lock", source }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the network shares.
    #[must_use]
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.settings
    }

    /// Its secret key.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }
}
