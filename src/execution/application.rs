//! [`Application`]: what the executor drives. A service written as a [`StateMachine`](super::StateMachine) gets it from
//! [`StateMachineApplication`](super::StateMachineApplication); one that keeps its own store implements it directly.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::state::State;
use super::state_machine::{Context, Refusal};
use crate::outcome::{LimitExceeded, Outcome};

/// One operation of a batch that is to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Where it stands.
    pub context: Context,
    /// What the client asks for.
    pub bytes: Bytes,
}

/// A deterministic service with its state.
///
/// Whatever an application keeps for itself, what replicas agree on is a [`State`]: the root that they certify, the proofs
/// that clients check, the durable snapshot and the transfer to a replica that fell behind all rest on its pages. An
/// application with a store of its own keeps the two in step.
///
/// Everything that the executor sees, outcomes and roots, is a function of the operations that were applied, in their
/// order, the same on every replica: see [`StateMachine`](super::StateMachine) for what that forbids. An implementation
/// panics only if the replica must stop; it has to catch what an operation may cause.
pub trait Application: Send + 'static {
    /// Executes the operations of one batch in their order, and returns one outcome for each. An outcome other than
    /// [`Outcome::Done`] means that its operation changed nothing. A batch whose requests are all skipped has none.
    ///
    /// An outcome is at most `outcome_bytes_max` long and never [`Outcome::Skipped`]. The executor replaces one that is,
    /// but cannot take back the changes.
    fn apply(&mut self, operations: &[Operation]) -> Vec<Outcome>;

    /// The state as it is now. Cheap: it is taken at every checkpoint, and execution waits for it.
    fn snapshot(&self) -> Arc<dyn ApplicationSnapshot>;

    /// Replaces the whole state by one that an application like this one had, here before a start or on another replica.
    fn restore(&mut self, state: State);

    /// The check at the door, for the threads that receive requests.
    fn admission(&self) -> Arc<dyn Admission>;
}

/// A state that does not change any more: what a checkpoint keeps. Another thread may read it while execution goes on.
pub trait ApplicationSnapshot: Send + Sync + fmt::Debug {
    /// The replicated state itself.
    fn state(&self) -> &State;

    /// Answers a question about it.
    fn query(&self, query: &[u8]) -> Outcome;
}

/// What the rest of the engine may be told: an outcome that is too long, or that only the engine gives, is replaced.
pub(super) fn lawful(outcome: Outcome, outcome_bytes_max: u64) -> Outcome {
    match outcome {
        Outcome::Done(bytes) | Outcome::Refused(bytes) if bytes.len() as u64 > outcome_bytes_max => {
            Outcome::OverLimit(LimitExceeded::Outcome)
        }
        Outcome::Skipped(_) => Outcome::Refused(Bytes::new()),
        Outcome::Done(_) | Outcome::Refused(_) | Outcome::OverLimit(_) | Outcome::Panicked => outcome,
    }
}

/// The check at the door, before a request is ordered.
pub trait Admission: Send + Sync {
    /// Whether the application wants an operation at all. Decides nothing about its outcome.
    ///
    /// # Errors
    /// [`Refusal`] with the reason that the client gets.
    fn admit(&self, operation: &[u8]) -> Result<(), Refusal>;
}
