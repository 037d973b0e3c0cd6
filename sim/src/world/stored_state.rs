//! The durable snapshots of a replica.

use quorate::SeqNum;
use quorate::execution::ReplicatedState;

use crate::choices::Choices;

/// A store of states, each of which is there wholly or not at all.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredState {
    newest: Option<ReplicatedState>,
}

impl StoredState {
    pub(super) fn newest(&self) -> Option<&ReplicatedState> {
        self.newest.as_ref()
    }

    /// Says whether it was newer than what is there.
    pub(super) fn commit(&mut self, state: ReplicatedState) -> bool {
        let is_newer = state.position.seq > self.newest().map_or(SeqNum::GENESIS, |known| known.position.seq);
        if is_newer {
            self.newest = Some(state);
        }
        is_newer
    }

    pub(super) fn damage(&mut self, _choices: &mut Choices) {
        self.newest = None;
    }
}
