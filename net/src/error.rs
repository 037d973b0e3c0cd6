//! Why an endpoint cannot start.

use std::net::SocketAddr;

use quorate::ReplicaId;
use quorate_crypto::PublicKey;

/// Why an endpoint cannot start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A peer's key is no Ed25519 public key.
    #[error("{0} is no Ed25519 public key")]
    InvalidKey(PublicKey),
    /// Two peers have one key.
    #[error("the key {0} stands twice")]
    DuplicateKey(PublicKey),
    /// The own key is not the one listed for the own identifier.
    #[error("replica {0} is not listed with the key of this process")]
    NotListed(ReplicaId),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The layers of a connection cannot be set up.
    #[error("cannot set up the transport: {0}")]
    Transport(String),
}
