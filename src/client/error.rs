//! What can go wrong with a call of a client, in words that say what to do.

use std::fmt;
use std::time::Duration;

use super::claim::{Answers, Claim};
use super::session::{Failure, SubmitError};
use crate::types::{ReplicaId, SeqNum};

/// Why a call of a [`Client`](super::Client) has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Too few replicas have said the same in time. The operation may have been executed, or may be later.
    #[error("no result after {after:?}: {answers}; the operation may still be executed; {}", advice(answers))]
    TimedOut {
        /// How long the call waited.
        after: Duration,
        /// Who said what.
        answers: Answers,
    },
    /// The operation was never sent: the window of the session stayed full.
    #[error("not sent within {after:?}: earlier operations of this client have no result yet; it was not executed")]
    NotSent {
        /// How long the call waited.
        after: Duration,
    },
    /// The operation is larger than the network takes.
    #[error("{0}; it was not sent")]
    NotAccepted(#[from] SubmitError),
    /// The request will get no result.
    #[error("{0}")]
    Failed(#[from] Failure),
    /// Too few replicas have answered a question in time.
    #[error("no proof after {after:?}: {needed} replicas have to answer, {} did; check replica {}", answered.len(), Members(silent))]
    NoProof {
        /// How long the call waited.
        after: Duration,
        /// Who gave a valid answer.
        answered: Vec<ReplicaId>,
        /// Who gave none, or one that does not verify.
        silent: Vec<ReplicaId>,
        /// How many have to.
        needed: usize,
    },
    /// The result is too old to be attested.
    #[error(
        "slot {seq} cannot be attested any more: the replicas attest from slot {oldest}; ask soon after the result"
    )]
    TooOldToAttest {
        /// The slot asked for.
        seq: SeqNum,
        /// The oldest slot that can be attested.
        oldest: SeqNum,
    },
    /// The network has no certified checkpoint yet against which something could be proven.
    #[error("no checkpoint is certified yet: ask again when the network has executed more")]
    NothingCertified,
    /// As many questions as are allowed wait for answers.
    #[error("too many questions wait for answers: at most {0}")]
    TooManyQuestions(usize),
    /// The client's task has ended with its runtime.
    #[error("the client has stopped")]
    Stopped,
}

/// What the caller, or who runs the network, can do about it.
fn advice(answers: &Answers) -> String {
    let Answers { said, silent, needed } = answers;
    let is_waiting = said.iter().filter(|(_, claim)| matches!(claim, Claim::Busy)).count() >= *needed;
    if said.len() < *needed {
        format!("check that replica {} runs and can be reached from here", Members(silent))
    } else if is_waiting {
        "the network is overloaded: send less, or wait longer".to_owned()
    } else {
        "these replicas contradict one another: compare their /status, one of them is faulty or behind".to_owned()
    }
}

/// A list of replicas for people.
struct Members<'a>(&'a [ReplicaId]);

impl fmt::Display for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}
