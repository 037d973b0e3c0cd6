//! What counts as a vote, and how many are enough.

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, nothing_fails};
use crate::options::Options;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::QuorumOneTooSmall,
        checkers: &["certificates", "agreement"],
        is_quick: true,
        members: 4,
        provoke: equivocation,
    },
    Case {
        mutant: Mutant::CommitAtWeakQuorum,
        checkers: &["certificates", "verify"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
    Case {
        mutant: Mutant::CommitWithoutPrepared,
        checkers: &["certificates", "verify"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
    Case {
        mutant: Mutant::DigestIgnored,
        checkers: &["certificates", "agreement"],
        is_quick: true,
        members: 4,
        provoke: equivocation,
    },
    Case {
        mutant: Mutant::NoHighWatermark,
        checkers: &["watermarks", "memory"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
    Case {
        mutant: Mutant::StableAtWeakQuorum,
        checkers: &["certificates", "verify"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
];

/// The first primary assigns two batches to every slot.
fn equivocation(options: &mut Options) {
    nothing_fails(options);
    options.byzantine = vec![ReplicaId(0)];
    options.faults.equivocation = 1000;
}
