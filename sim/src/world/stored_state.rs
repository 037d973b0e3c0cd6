//! The durable snapshots of a replica, and what a fetch has left behind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use quorate::SeqNum;
use quorate::execution::ReplicatedState;
use quorate::execution::state_fetch::StagedNodes;
use quorate::messages::CheckpointCertificate;
use quorate_crypto::Digest;

use crate::choices::Choices;

/// A store of states, each of which is there wholly or not at all.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredState {
    newest: Option<(ReplicatedState, Option<CheckpointCertificate>)>,
    staged: Arc<Staged>,
}

/// Nodes by their hashes.
#[derive(Debug, Default)]
struct Staged(Mutex<BTreeMap<Digest, Bytes>>);

impl StagedNodes for Staged {
    fn node(&self, hash: &Digest) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }
}

impl StoredState {
    /// The newest state with its certificate, if that is stored.
    pub(super) fn newest(&self) -> Option<&(ReplicatedState, Option<CheckpointCertificate>)> {
        self.newest.as_ref()
    }

    fn seq(&self) -> SeqNum {
        self.newest.as_ref().map_or(SeqNum::GENESIS, |(known, _)| known.position.seq)
    }

    /// A checkpoint that was executed here. Says whether it was newer than what is there.
    pub(super) fn commit(&mut self, state: ReplicatedState) -> bool {
        let is_newer = state.position.seq > self.seq();
        if is_newer {
            self.newest = Some((state, None));
        }
        is_newer
    }

    /// A state that takes the place of whatever is there.
    pub(super) fn put(&mut self, state: ReplicatedState, certificate: Option<CheckpointCertificate>) {
        self.newest = Some((state, certificate));
        self.staged = Arc::default();
    }

    /// Keeps nodes that a fetch has verified.
    pub(super) fn stage(&self, nodes: Vec<(Digest, Bytes)>) {
        self.staged.0.lock().unwrap_or_else(PoisonError::into_inner).extend(nodes);
    }

    /// What an earlier fetch has left behind.
    pub(super) fn staged(&self) -> Arc<dyn StagedNodes> {
        Arc::<Staged>::clone(&self.staged)
    }

    /// The state is lost; of what was staged, some is changed.
    pub(super) fn damage(&mut self, choices: &mut Choices) {
        self.newest = None;
        let mut staged = self.staged.0.lock().unwrap_or_else(PoisonError::into_inner);
        for node in staged.values_mut().filter(|_| choices.chance(300)) {
            *node = Bytes::from_static(b"damaged");
        }
    }
}
