//! [`StateMachine`]: the easy way to write an application, on the engine's own [`State`].

use bytes::Bytes;

use super::state::{State, StateError, StateView};
use crate::outcome::{LimitExceeded, Outcome};
use crate::types::{ClientId, RequestId, SeqNum, WallTime};

/// A deterministic service. All replicas hand it the same operations in the same order.
///
/// # Determinism
///
/// What [`execute`](StateMachine::execute) returns and writes is a function of its arguments alone. It reads no clock, no
/// random number, no file, no environment and no state of its own; it depends on no address, no thread, no order of a
/// hash table and no floating point that may differ between machines. The agreed time is in the [`Context`]. A replica
/// that breaks this rule diverges from the others at the next checkpoint and stops voting.
///
/// A refusal, a limit that was gone beyond and a panic discard everything that the operation wrote and become an outcome,
/// the same on every replica. What cannot be undone is what ends the process: a stack overflow, memory that runs out, a
/// build with `panic = "abort"`. An operation must not be able to cause these.
pub trait StateMachine: Send + Sync + 'static {
    /// Executes one operation that all replicas agreed on, and answers every byte string. Only [`Outcome::Done`] keeps
    /// what was written to `state`; [`Outcome::Skipped`] is the engine's word and counts as a refusal without a reason.
    ///
    /// An insertion that goes beyond a limit of the genesis writes nothing and says so. With `?` in a function that
    /// returns `Result<_, Outcome>` it ends the operation with [`Outcome::OverLimit`]; without, the operation goes on.
    fn execute(&self, context: &Context, operation: &[u8], state: &mut State) -> Outcome;

    /// Answers a question about a state, on one replica and without agreement.
    fn query(&self, query: &[u8], view: &StateView) -> Outcome;

    /// A cheap check at the door, before an operation is ordered. It decides nothing: what passes may be refused at
    /// execution, and a replica may propose what does not pass.
    ///
    /// # Errors
    /// [`Refusal`] with the reason that the client gets.
    fn admit(&self, operation: &[u8]) -> Result<(), Refusal>;
}

/// Where an operation stands in the agreed history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The slot of its batch.
    pub seq: SeqNum,
    /// Its place in the batch, from 0; requests that are skipped count.
    pub index: u32,
    /// The agreed time of the batch. It never goes back from one batch to the next.
    pub time: WallTime,
    /// The name of the request. Its client signed the operation.
    pub id: RequestId,
}

impl Context {
    /// Who asks.
    #[must_use]
    pub fn client(&self) -> ClientId {
        self.id.client
    }
}

/// Why an application does not want an operation, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Bytes);

impl From<Refusal> for Outcome {
    fn from(Refusal(reason): Refusal) -> Self {
        Outcome::Refused(reason)
    }
}

impl From<StateError> for Outcome {
    fn from(error: StateError) -> Self {
        match error {
            StateError::KeyTooLong { .. } => Outcome::OverLimit(LimitExceeded::Key),
            StateError::ValueTooLong { .. } => Outcome::OverLimit(LimitExceeded::Value),
            StateError::StateTooHeavy { .. } => Outcome::OverLimit(LimitExceeded::State),
            // Only a bulk build says so, and an operation has no reason to make one from what it does not know.
            StateError::OutOfOrder | StateError::DamagedPage => Outcome::Refused(Bytes::new()),
        }
    }
}
