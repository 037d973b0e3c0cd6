//! What all Byzantine replicas of a world share: they collude.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::Batch;
use quorate::messages::{PrePrepare, Signed, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

/// So many forked slots and false ViewChanges are remembered.
const KEPT: usize = 128;

/// What all liars know.
#[derive(Debug, Default)]
pub struct Board {
    forks: BTreeMap<(View, SeqNum), Fork>,
    view_changes: BTreeMap<(View, ReplicaId), Signed<ViewChange>>,
}

/// A slot with several assignments in one view.
#[derive(Clone, Debug)]
pub struct Fork {
    sides: Vec<Side>,
    /// Which side a member is shown; the first if it is not listed.
    shown: BTreeMap<ReplicaId, usize>,
}

/// One of the assignments of a forked slot.
#[derive(Clone, Debug)]
pub struct Side {
    /// The primary says so.
    pub header: Signed<PrePrepare>,
    /// What it assigns.
    pub batch: Option<Batch>,
}

impl Board {
    /// Lets all liars know of a fork.
    pub fn add_fork(&mut self, view: View, seq: SeqNum, fork: Fork) {
        self.forks.insert((view, seq), fork);
        while self.forks.len() > KEPT {
            self.forks.pop_first();
        }
    }

    /// The fork at a slot of a view.
    #[must_use]
    pub fn fork(&self, view: View, seq: SeqNum) -> Option<&Fork> {
        self.forks.get(&(view, seq))
    }

    /// Lets all liars know of a ViewChange that hides something.
    pub fn add_view_change(&mut self, false_one: Signed<ViewChange>) {
        self.view_changes.insert((false_one.payload.target, false_one.signer), false_one);
        while self.view_changes.len() > KEPT {
            self.view_changes.pop_first();
        }
    }

    /// The ViewChanges of liars for this view that hide something.
    pub fn view_changes(&self, target: View) -> impl Iterator<Item = &Signed<ViewChange>> {
        self.view_changes.range((target, ReplicaId(0))..=(target, ReplicaId(u16::MAX))).map(|(_, known)| known)
    }
}

impl Fork {
    /// A fork with these sides, of which each listed member is shown one.
    #[must_use]
    pub fn new(sides: Vec<Side>, shown: BTreeMap<ReplicaId, usize>) -> Self {
        assert!(!sides.is_empty(), "a fork has sides");
        Fork { sides, shown }
    }

    /// These members by what they are shown.
    pub fn sides_of(&self, to: &[ReplicaId]) -> impl Iterator<Item = (&Side, Vec<ReplicaId>)> {
        let place = |id: &ReplicaId| self.shown.get(id).copied().unwrap_or(0).min(self.sides.len() - 1);
        let places: BTreeSet<_> = to.iter().map(place).collect();
        let group = move |at: usize| to.iter().filter(|id| place(id) == at).copied().collect::<Vec<_>>();
        let groups: Vec<_> = places.into_iter().map(|at| (at, group(at))).collect();
        groups.into_iter().filter_map(|(at, group)| Some((self.sides.get(at)?, group)))
    }
}

impl Side {
    /// The batch that it names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.header.payload.digest
    }
}
