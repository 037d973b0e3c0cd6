//! One kind of message that does not pass for a while, as if a rule of a firewall, or a bug, had got in its way.

use std::collections::BTreeSet;

use quorate::ReplicaId;

use super::channels::Passage;

/// The kinds of messages that may be filtered, by the names that they have in the engine's logs.
pub(in crate::world) const FILTERED_KINDS: [&str; 14] = [
    "pre_prepare",
    "prepare",
    "commit",
    "checkpoint",
    "view_change",
    "new_view",
    "status",
    "forward",
    "batch",
    "committed",
    "fetch_view_change",
    "votes",
    "state_head",
    "nodes",
];

/// Whether what the members send is lost, or what they should receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::world) enum FilterSide {
    Sending,
    Receiving,
}

/// Messages of this kind that these members send, or should receive, are lost.
#[derive(Clone, Debug)]
pub(in crate::world) struct Filter {
    pub kind: &'static str,
    pub side: FilterSide,
    pub members: BTreeSet<ReplicaId>,
    /// When it ends.
    pub until: u64,
}

impl Filter {
    pub(super) fn drops(&self, passage: &Passage) -> bool {
        let member = match self.side {
            FilterSide::Sending => passage.from,
            FilterSide::Receiving => passage.to,
        };
        passage.now < self.until && passage.kind == self.kind && self.members.contains(&member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_kind_only_at_its_side_and_only_for_its_time() {
        let members = BTreeSet::from([ReplicaId(1)]);
        let filter = Filter { kind: "commit", side: FilterSide::Receiving, members, until: 10 };
        let commit = Passage { from: ReplicaId(0), to: ReplicaId(1), kind: "commit", now: 9 };
        assert!(filter.drops(&commit));
        assert!(!filter.drops(&Passage { kind: "prepare", ..commit }));
        assert!(!filter.drops(&Passage { from: ReplicaId(1), to: ReplicaId(0), ..commit }));
        assert!(!filter.drops(&Passage { now: 10, ..commit }));
    }
}
