//! What a case is, and what the worlds of cases have in common.

use std::collections::BTreeMap;

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::{clients, disks, states, views, votes};
use crate::byzantine::{AttackPlan, Behaviour, Trigger};
use crate::options::{FaultOptions, Options};
use crate::shrink::Subject;
use crate::transcript::Transcript;
use crate::world::World;

/// How a mutant is provoked, and who must notice it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is broken.
    pub mutant: Mutant,
    /// The checkers any of which may notice it.
    pub checkers: &'static [&'static str],
    /// Whether it takes little time.
    pub is_quick: bool,
    /// n.
    pub(super) members: u16,
    /// What the world is like in which it shows.
    pub(super) provoke: fn(&mut Options),
}

impl Case {
    /// The world of a seed in which the mistake may show, if the engine makes it in this thread.
    #[must_use]
    pub fn world(&self, seed: u64) -> World {
        self.subject(seed).world(Transcript::default())
    }

    /// The same, to be run again and again.
    #[must_use]
    pub fn subject(&self, seed: u64) -> Subject {
        Subject::of_seed_with(seed, Some(self.members), self.provoke)
    }
}

/// The cases of all mutants, in their order.
///
/// # Panics
/// When a mutant has no case, or several.
#[must_use]
pub fn all_cases() -> Vec<Case> {
    let mut cases = [votes::CASES, views::CASES, disks::CASES, states::CASES, clients::CASES].concat();
    cases.sort_by_key(|case| case.mutant);
    assert!(cases.iter().map(|case| case.mutant).eq(Mutant::ALL), "every mutant has one case");
    cases
}

/// Nothing breaks, and nobody lies.
pub(super) fn nothing_fails(options: &mut Options) {
    options.byzantine.clear();
    options.faults = FaultOptions::none();
    (options.network.loss, options.network.straggling) = (0, 0);
}

/// One replica lies, in one way, whenever it can.
pub(super) fn lies(options: &mut Options, id: ReplicaId, behaviour: Behaviour) {
    options.byzantine = vec![id];
    options.lying.attacks = BTreeMap::from([(id, vec![AttackPlan { behaviour, trigger: Trigger::Always }])]);
}
