//! What must have happened in many scenarios, or they prove little.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something that a scenario was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interest {
    /// A slot was executed during the attack.
    ProgressUnderAttack,
    /// A view was entered.
    ViewsEntered,
    /// A NewView re-proposed batches.
    ReProposals,
    /// A NewView filled a slot with the null batch.
    NullFills,
    /// The cores of a twin voted differently on one slot in one view.
    DoubleVotes,
    /// A slot that was prepared in one round and executed by no correct replica was re-proposed in a later one.
    PreparedReProposed,
    /// A slot that a correct replica had executed was re-proposed in a later round.
    CommittedReProposed,
    /// A correct replica found proof against a twin.
    Evidence,
    /// A checkpoint became stable.
    Checkpoints,
    /// A correct replica asked for slots that it had missed.
    CatchUps,
    /// A correct replica installed the state of others.
    Transfers,
    /// A correct replica crashed, started from its journal and passed its check.
    Restarts,
}

impl Interest {
    /// What an exploration of partitions alone must bring about.
    pub const EXPECTED: [Interest; 8] = [
        Interest::ProgressUnderAttack,
        Interest::ViewsEntered,
        Interest::ReProposals,
        Interest::DoubleVotes,
        Interest::CommittedReProposed,
        Interest::Evidence,
        Interest::Checkpoints,
        Interest::CatchUps,
    ];
}

/// In how many scenarios each of them happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interests(BTreeMap<Interest, u64>);

impl Interests {
    /// Adds what happened in one scenario.
    pub fn add(&mut self, happened: &BTreeSet<Interest>) {
        for interest in happened {
            *self.0.entry(*interest).or_default() += 1;
        }
    }

    /// Adds those of other scenarios.
    pub fn merge(&mut self, other: &Interests) {
        for (interest, count) in &other.0 {
            *self.0.entry(*interest).or_default() += count;
        }
    }

    /// In how many scenarios it happened.
    #[must_use]
    pub fn get(&self, interest: Interest) -> u64 {
        self.0.get(&interest).copied().unwrap_or(0)
    }

    /// All that happened, and in how many scenarios.
    pub fn iter(&self) -> impl Iterator<Item = (Interest, u64)> {
        self.0.iter().map(|(interest, count)| (*interest, *count))
    }

    /// Those of `expected` that never happened.
    #[must_use]
    pub fn missing(&self, expected: &[Interest]) -> Vec<Interest> {
        expected.iter().copied().filter(|interest| self.get(*interest) == 0).collect()
    }
}

impl fmt::Display for Interests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (interest, count) in &self.0 {
            writeln!(f, "  {:<22} {count:>10}", format!("{interest:?}"))?;
        }
        Ok(())
    }
}
