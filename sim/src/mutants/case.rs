//! What a case is, and what the worlds of cases have in common.

use quorate::mutants::Mutant;

use super::{clients, disks, states, views, votes};
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
#[must_use]
pub fn all_cases() -> Vec<Case> {
    let mut cases = [votes::CASES, views::CASES, disks::CASES, states::CASES, clients::CASES].concat();
    cases.sort_by_key(|case| case.mutant);
    cases
}

/// Nothing breaks, and nobody lies.
pub(super) fn nothing_fails(options: &mut Options) {
    options.byzantine.clear();
    options.faults = FaultOptions::none();
    (options.network.loss, options.network.straggling) = (0, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_has_one_case() {
        let mutants: Vec<_> = all_cases().iter().map(|case| case.mutant).collect();
        assert_eq!(mutants, Mutant::ALL);
    }
}
