//! [`ReplicatedState`]: what replicas agree on after a slot, apart from the application that works on it. This is what is
//! written to disk, and what one replica takes over from others.

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::messages::client::RootParts;
use crate::types::{SeqNum, WallTime};

/// How far a history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The network.
    pub chain_id: Digest,
    /// The last executed slot.
    pub seq: SeqNum,
    /// The chain hash after it.
    pub chain: Digest,
    /// The agreed time at it.
    pub time: WallTime,
}

/// A whole replicated state. A clone costs two reference counts.
#[derive(Clone, Debug)]
pub struct ReplicatedState {
    /// After which slot of which history.
    pub position: Position,
    /// The client table.
    pub clients: State,
    /// The application's part.
    pub application: State,
}

/// Why an executor does not take a state over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// The state of another network.
    #[error("the state belongs to network {0}")]
    OtherNetwork(Digest),
    /// Entries that no client table of this network has.
    #[error("the client table of slot {0} holds entries that none has")]
    ClientTable(SeqNum),
    /// The state is not the one that the certificate is about.
    #[error("the state of slot {seq} has root {found}, the certificate of slot {certified} says {expected}")]
    Root {
        /// The slot of the state.
        seq: SeqNum,
        /// The slot of the certificate.
        certified: SeqNum,
        /// The certified root.
        expected: Digest,
        /// What was computed.
        found: Digest,
    },
}

impl ReplicatedState {
    /// What the root is made of.
    #[must_use]
    pub fn parts(&self) -> RootParts {
        let Position { chain, time, .. } = self.position;
        RootParts { application: self.application.root(), client_table: self.clients.root(), chain, time }
    }

    /// The root that a Checkpoint names.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.parts().root(self.position.seq)
    }
}
