//! What counts as a vote, and how many are enough.

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, lies, nothing_fails};
use crate::byzantine::Behaviour;
use crate::options::Options;

/// The primary of the first view.
const FIRST: ReplicaId = ReplicaId(0);

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
        mutant: Mutant::DuplicateSignerCounts,
        checkers: &["forgery", "certificates"],
        is_quick: true,
        members: 4,
        provoke: spoilt_certificates,
    },
    Case {
        mutant: Mutant::NonMemberCounts,
        checkers: &["forgery", "certificates"],
        is_quick: true,
        members: 4,
        provoke: spoilt_certificates,
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
        mutant: Mutant::SecondPrePrepareAccepted,
        checkers: &["one-vote"],
        is_quick: true,
        members: 4,
        provoke: altered_statements,
    },
    Case {
        mutant: Mutant::PrePrepareOfNonPrimary,
        checkers: &["forgery", "certificates"],
        is_quick: true,
        members: 4,
        provoke: altered_statements,
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
    Case {
        mutant: Mutant::SignatureWithoutContext,
        checkers: &["forgery"],
        is_quick: true,
        members: 4,
        provoke: foreign_signatures,
    },
];

/// The first primary assigns two batches to every slot.
fn equivocation(options: &mut Options) {
    nothing_fails(options);
    lies(options, FIRST, Behaviour::Equivocate { ways: 2 });
}

/// Replicas need the help of others, and one of those hands on certificates that are none. Strangers that are taken for
/// members are taken for the first one.
fn spoilt_certificates(options: &mut Options) {
    nothing_fails(options);
    lies(options, FIRST, Behaviour::MutatedCertificates);
    (options.network.loss, options.faults.crashes) = (200, 4);
}

/// The first primary says what is a little off: another slot, a view that it does not lead.
fn altered_statements(options: &mut Options) {
    nothing_fails(options);
    lies(options, FIRST, Behaviour::MutatedStatements);
}

fn foreign_signatures(options: &mut Options) {
    nothing_fails(options);
    lies(options, FIRST, Behaviour::ForeignSignatures);
}
