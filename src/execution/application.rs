//! [`Application`]: what the executor drives. A service written as a [`StateMachine`](super::StateMachine) gets it from
//! [`StateMachineApplication`](super::StateMachineApplication); one that keeps its own store implements it directly.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use quorate_crypto::Digest;

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

    /// Replaces the whole state by one that [`ApplicationSnapshot::write`] wrote. What is read is checked, bounded by
    /// the limits of the genesis, and read to its own end and no further: more may follow. The caller compares the root.
    ///
    /// # Errors
    /// Those of the source, and [`io::ErrorKind::InvalidData`] for bytes that are no state. The application is then
    /// not used any more.
    fn restore(&mut self, source: &mut dyn Read) -> io::Result<()>;

    /// The check at the door, for the threads that receive requests.
    fn admission(&self) -> Arc<dyn Admission>;
}

/// A state that does not change any more: what a checkpoint keeps. Another thread may write it while execution goes on.
pub trait ApplicationSnapshot: Send + Sync + fmt::Debug {
    /// Its root, which the replicas certify.
    fn root(&self) -> Digest;

    /// The encoded proof, against the root, of what stands under a key or that nothing does.
    fn prove(&self, key: &[u8]) -> Bytes;

    /// Answers a question about it.
    fn query(&self, query: &[u8]) -> Outcome;

    /// Writes it for [`Application::restore`].
    ///
    /// # Errors
    /// Those of the sink.
    fn write(&self, sink: &mut dyn Write) -> io::Result<()>;
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
