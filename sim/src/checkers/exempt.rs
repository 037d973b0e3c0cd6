//! Whose words count: those of correct replicas, except about what lies within what they had said when their disks went back
//! in time. There, and nowhere else, they may contradict themselves, because they may not know.

use std::collections::{BTreeMap, BTreeSet};

use quorate::messages::Bounds;
use quorate::{ReplicaId, SeqNum, View};

/// The correct replicas, and what they may have forgotten.
#[derive(Clone, Debug)]
pub(super) struct Exempt {
    correct: BTreeSet<ReplicaId>,
    forgotten: BTreeMap<ReplicaId, Bounds>,
}

impl Exempt {
    pub(super) fn new(correct: BTreeSet<ReplicaId>) -> Self {
        Exempt { correct, forgotten: BTreeMap::new() }
    }

    /// A disk went back in time. Everything that its replica had said lies within these bounds.
    pub(super) fn forget(&mut self, id: ReplicaId, said: Bounds) {
        let forgotten = self.forgotten.entry(id).or_default();
        *forgotten = forgotten.max(said);
    }

    /// Whether a replica stands by its votes of a view for a slot.
    pub(super) fn stands_by_vote(&self, id: ReplicaId, view: View, seq: SeqNum) -> bool {
        let is_beyond = |lost: &Bounds| view > lost.view || seq > lost.seq;
        self.correct.contains(&id) && self.forgotten.get(&id).is_none_or(is_beyond)
    }

    /// Whether it stands by its ViewChange for a view.
    pub(super) fn stands_by_view_change(&self, id: ReplicaId, target: View) -> bool {
        self.correct.contains(&id) && self.forgotten.get(&id).is_none_or(|lost| target > lost.view)
    }

    /// Whether it stands by its checkpoints. A state is what it is: who has forgotten that it signed it signs the same.
    pub(super) fn stands_by_checkpoints(&self, id: ReplicaId) -> bool {
        self.correct.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::ID;
    use super::*;

    fn bounds(view: u64, seq: u64) -> Bounds {
        Bounds { view: View(view), seq: SeqNum(seq) }
    }

    fn exempt() -> Exempt {
        Exempt::new(BTreeSet::from([ID]))
    }

    #[test]
    fn a_correct_replica_stands_by_everything_and_a_liar_by_nothing() {
        let (exempt, liar) = (exempt(), ReplicaId(3));
        assert!(exempt.stands_by_vote(ID, View(0), SeqNum(1)) && exempt.stands_by_view_change(ID, View(1)));
        assert!(!exempt.stands_by_vote(liar, View(9), SeqNum(9)) && !exempt.stands_by_view_change(liar, View(9)));
        assert!(exempt.stands_by_checkpoints(ID) && !exempt.stands_by_checkpoints(liar));
    }

    #[test]
    fn who_has_forgotten_stands_by_what_lies_beyond() {
        let mut exempt = exempt();
        exempt.forget(ID, bounds(2, 8));
        assert!(!exempt.stands_by_vote(ID, View(2), SeqNum(8)) && !exempt.stands_by_vote(ID, View(1), SeqNum(3)));
        assert!(exempt.stands_by_vote(ID, View(2), SeqNum(9)) && exempt.stands_by_vote(ID, View(3), SeqNum(8)));
        assert!(!exempt.stands_by_view_change(ID, View(2)) && exempt.stands_by_view_change(ID, View(3)));
        assert!(exempt.stands_by_checkpoints(ID));
    }

    #[test]
    fn bounds_only_grow() {
        let mut exempt = exempt();
        exempt.forget(ID, bounds(2, 8));
        exempt.forget(ID, bounds(3, 4));
        assert!(!exempt.stands_by_vote(ID, View(3), SeqNum(8)));
    }
}
