//! What single replicas say about one request. A claim convinces nobody before W members make the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use quorate_crypto::{Digest, Hasher};

use crate::codec;
use crate::messages::{RefusalReason, RequestResult};
use crate::types::{ReplicaId, SeqNum, Session};

/// What one replica says about a request, in constant space: two claims are equal when the replicas said the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It was executed.
    Executed {
        /// The slot.
        seq: SeqNum,
        /// The place in the batch.
        index: u32,
        /// H(operation).
        operation: Digest,
        /// A hash of the outcome.
        outcome: Digest,
    },
    /// It will not be ordered.
    Refused(Refusal),
    /// There is no room for it at the moment.
    Busy,
}

/// Why a replica says that it will not order a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A later session is open.
    OldSession {
        /// That session.
        current: Session,
    },
    /// The number is too far ahead of what the replica has executed.
    OutsideWindow,
    /// The operation is too large.
    TooLarge,
    /// The signature or the client is not accepted.
    NotAuthentic,
    /// The application does not want it.
    NotAdmitted {
        /// A hash of the application's reason.
        reason: Digest,
    },
}

impl Refusal {
    /// Whether a correct replica that says this will say so for ever, whatever it executes meanwhile.
    ///
    /// [`OutsideWindow`](Refusal::OutsideWindow) is not final: the W fastest replicas may have answered everything that
    /// the window waits for while W correct ones are still executing it. They agree with the others soon.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Refusal::TooLarge | Refusal::NotAuthentic | Refusal::NotAdmitted { .. } => true,
            Refusal::OutsideWindow | Refusal::OldSession { .. } => false,
        }
    }
}

impl From<&RequestResult> for Claim {
    fn from(result: &RequestResult) -> Self {
        let outcome = Hasher::new("quorate/claimed-outcome/v1").bytes(&codec::canonical(&result.outcome)).finish();
        Claim::Executed { seq: result.seq, index: result.index, operation: result.operation, outcome }
    }
}

impl From<&RefusalReason> for Refusal {
    fn from(reason: &RefusalReason) -> Self {
        match reason {
            RefusalReason::OldSession { current } => Refusal::OldSession { current: *current },
            RefusalReason::OutsideWindow => Refusal::OutsideWindow,
            RefusalReason::TooLarge => Refusal::TooLarge,
            RefusalReason::NotAuthentic => Refusal::NotAuthentic,
            RefusalReason::NotAdmitted(reason) => {
                Refusal::NotAdmitted { reason: Hasher::new("quorate/claimed-refusal/v1").bytes(reason).finish() }
            }
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Executed { seq, index, outcome, .. } => {
                write!(f, "executed in slot {seq} at place {index}, outcome {}", outcome.short())
            }
            Claim::Refused(refusal) => write!(f, "refused: {refusal}"),
            Claim::Busy => f.write_str("busy: no room for the request"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::OldSession { current } => write!(f, "session {current} of this client is open already"),
            Refusal::OutsideWindow => f.write_str("too far ahead of what it has executed"),
            Refusal::TooLarge => f.write_str("the operation is too large"),
            Refusal::NotAuthentic => f.write_str("the signature or the client is not accepted"),
            Refusal::NotAdmitted { .. } => f.write_str("the application does not accept the operation"),
        }
    }
}

/// The newest claim of every member about one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    newest: BTreeMap<ReplicaId, Claim>,
    /// The members that had no room, or not yet, since the request was last sent.
    deferring: BTreeSet<ReplicaId>,
}

impl Claims {
    /// Notes a member's claim in the place of its earlier one.
    ///
    /// Returns how many members now make that claim.
    pub(super) fn record(&mut self, from: ReplicaId, claim: Claim) -> usize {
        match claim {
            Claim::Busy | Claim::Refused(Refusal::OutsideWindow) => self.deferring.insert(from),
            Claim::Executed { .. } | Claim::Refused(_) => self.deferring.remove(&from),
        };
        self.newest.insert(from, claim);
        self.newest.values().filter(|other| **other == claim).count()
    }

    /// How many members had no room, or not yet, since this was asked last.
    pub(super) fn take_deferring(&mut self) -> usize {
        std::mem::take(&mut self.deferring).len()
    }

    /// Who said what, and who nothing.
    pub(super) fn answers(&self, members: impl Iterator<Item = ReplicaId>, needed: usize) -> Answers {
        let said = self.newest.iter().map(|(member, claim)| (*member, *claim)).collect();
        let silent = members.filter(|member| !self.newest.contains_key(member)).collect();
        Answers { said, silent, needed }
    }
}

/// Who has said what about a request that is not decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The members that said something, with the last thing they said.
    pub said: Vec<(ReplicaId, Claim)>,
    /// The members that said nothing.
    pub silent: Vec<ReplicaId>,
    /// How many have to say the same.
    pub needed: usize,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} equal answers are needed", self.needed)?;
        for (member, claim) in &self.said {
            write!(f, "; replica {member} said: {claim}")?;
        }
        if !self.silent.is_empty() {
            let silent: Vec<_> = self.silent.iter().map(ToString::to_string).collect();
            write!(f, "; no answer from replica {}", silent.join(", "))?;
        }
        Ok(())
    }
}
