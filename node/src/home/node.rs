//! The home of a replica.
//!
//! ```text
//! genesis.toml   what all replicas share
//! config.toml    which of them this is, where it listens, where the others are, and the engine's settings
//! node.key       its secret key, mode 0600
//! journal/  promises  snapshots/  evidence/  damaged/  lock  identity     the engine's
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate::core::Identity;
use quorate::messages::SigningContext;
use quorate::{Genesis, NodeConfig, ReplicaId};
use quorate_crypto::{Digest, Ed25519, KeyPair, key_file};
use serde::{Deserialize, Serialize};

use super::error::HomeError;
use super::files;

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const KEY: &str = "node.key";

const HEAD: &str = "\
# The settings of one replica. `chain_id` is the hash of genesis.toml. `member_addresses` stand in the order of the
# committee. Everything under [engine] may be left out: then it has its default.

";

/// Where a replica listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// For the other members.
    pub members: SocketAddr,
    /// For clients.
    pub clients: SocketAddr,
    /// For status, metrics and reads over HTTP, without any authentication; without it there is no HTTP.
    pub http: Option<SocketAddr>,
}

/// The settings of one replica: `config.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// The network, so that a changed genesis is noticed.
    pub chain_id: Digest,
    /// Its place in the committee.
    pub replica: ReplicaId,
    /// Where every member listens for members, this one included.
    pub member_addresses: Vec<SocketAddr>,
    /// Where this one listens.
    pub listen: Listen,
    /// The settings of the engine.
    #[serde(default)]
    pub engine: NodeConfig,
}

/// The home of a replica, with everything checked.
#[derive(Clone, Debug)]
pub struct NodeHome {
    path: PathBuf,
    genesis: Arc<Genesis>,
    settings: NodeSettings,
    key: KeyPair,
}

impl NodeHome {
    /// Reads a home and checks all of it: the genesis, the settings against the genesis, and the key against both.
    ///
    /// # Errors
    /// [`HomeError`] with the first thing that is wrong and what to do about it.
    pub fn load(path: &Path) -> Result<NodeHome, HomeError> {
        let genesis = files::read_genesis(path)?;
        let config = path.join(CONFIG);
        let settings = files::read_toml::<NodeSettings>(&config)?;
        let settings = checked(&config, settings, &genesis)?;
        let key_path = path.join(KEY);
        let key = key_file::load(&key_path)?;
        if genesis.committee.key(settings.replica) != Some(&key.public()) {
            let owner = format!("replica {}", settings.replica);
            return Err(HomeError::WrongKey { path: key_path, owner, found: key.public() });
        }
        Ok(NodeHome { path: path.into(), genesis: Arc::new(genesis), settings, key })
    }

    /// Writes a new home.
    pub(crate) fn create(
        path: &Path,
        genesis: &Genesis,
        settings: &NodeSettings,
        key: &KeyPair,
    ) -> Result<(), HomeError> {
        files::create_folder(path)?;
        files::write_genesis(path, genesis)?;
        files::write_toml(&path.join(CONFIG), HEAD, settings)?;
        Ok(key_file::save(&path.join(KEY), key)?)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What all replicas share.
    #[must_use]
    pub fn genesis(&self) -> &Arc<Genesis> {
        &self.genesis
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &NodeSettings {
        &self.settings
    }

    /// Its place in the committee.
    #[must_use]
    pub fn replica(&self) -> ReplicaId {
        self.settings.replica
    }

    /// Its secret key.
    #[must_use]
    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    /// Who the engine is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            config: Arc::new(self.settings.engine.clone()),
            id: self.settings.replica,
            key: self.key.clone(),
            context: SigningContext::new(Arc::new(Ed25519), self.genesis.chain_id(), self.genesis.epoch()),
            genesis: Arc::clone(&self.genesis),
        }
    }
}

fn checked(path: &Path, settings: NodeSettings, genesis: &Genesis) -> Result<NodeSettings, HomeError> {
    files::check_chain(path, settings.chain_id, genesis)?;
    let (replica, members) = (settings.replica, genesis.committee.size());
    if !genesis.committee.contains(replica) {
        return Err(HomeError::NotAMember { path: path.into(), replica, last: members - 1 });
    }
    files::check_addresses(path, &settings.member_addresses, members)?;
    files::check_port(path, &settings.listen.members)?;
    files::check_port(path, &settings.listen.clients)?;
    let engine = settings.engine.validated().map_err(|reason| HomeError::Engine { path: path.into(), reason })?;
    Ok(NodeSettings { engine, ..settings })
}
