//! A whole replicated state at one slot, with the application that answers questions about it: what a checkpoint keeps.

use std::sync::Arc;

use quorate_crypto::Digest;

use super::application::ApplicationSnapshot;
use super::client_table::ClientTable;
use super::replicated_state::{Position, ReplicatedState};
use crate::messages::client::RootParts;
use crate::types::{SeqNum, WallTime};

/// Everything that execution has made of the history up to a slot. A clone is cheap and can be read by another thread.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) position: Position,
    pub(super) clients: ClientTable,
    pub(super) application: Arc<dyn ApplicationSnapshot>,
}

impl Snapshot {
    /// The slot after which this was the state.
    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.position.seq
    }

    /// The chain hash there.
    #[must_use]
    pub fn chain(&self) -> Digest {
        self.position.chain
    }

    /// The agreed time there.
    #[must_use]
    pub fn time(&self) -> WallTime {
        self.position.time
    }

    /// What the root is made of.
    #[must_use]
    pub fn parts(&self) -> RootParts {
        self.replicated().parts()
    }

    /// The root that a Checkpoint names.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.replicated().root()
    }

    /// The application's part.
    #[must_use]
    pub fn application(&self) -> &dyn ApplicationSnapshot {
        self.application.as_ref()
    }

    /// What replicas agree on: to be written to disk, or handed to another replica.
    #[must_use]
    pub fn replicated(&self) -> ReplicatedState {
        ReplicatedState {
            position: self.position,
            clients: self.clients.state().clone(),
            application: self.application.state().clone(),
        }
    }
}
