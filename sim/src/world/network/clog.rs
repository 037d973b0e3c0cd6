//! Links that hold back everything for a while, and then let it go at once.

use std::collections::BTreeSet;

use quorate::ReplicaId;

/// What leaves `from` for `to` while it is clogged arrives when it ends.
#[derive(Clone, Debug)]
pub(in crate::world) struct Clog {
    pub from: BTreeSet<ReplicaId>,
    pub to: BTreeSet<ReplicaId>,
    /// When it ends.
    pub until: u64,
}

impl Clog {
    pub(super) fn holds(&self, from: ReplicaId, to: ReplicaId, now: u64) -> bool {
        now < self.until && self.from.contains(&from) && self.to.contains(&to)
    }
}
