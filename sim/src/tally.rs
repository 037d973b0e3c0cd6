//! The state machine of the simulated clusters, and the same rules once more for the checkers.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate::execution::state::{State, StateView};
use quorate::execution::{Context, Refusal, StateMachine};
use quorate::outcome::Outcome;

/// Counters under one-byte keys. An operation is a key and an amount to add; the answer is the new sum. Odd sums above
/// 200 are refused, so that refusals depend on history. A note under a longer key makes the state large enough to be
/// transferred in parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally;

const NOTE_BYTES: usize = 150;

/// The operation that adds `amount` under `key`; `salt` makes operations differ.
#[must_use]
pub fn operation(key: u8, amount: u8, salt: u32) -> Bytes {
    let mut bytes = vec![key, amount];
    bytes.extend(salt.to_le_bytes());
    bytes.into()
}

impl StateMachine for Tally {
    fn execute(&self, _context: &Context, operation: &[u8], state: &mut State) -> Outcome {
        let Some((&[key, amount], rest)) = operation.split_first_chunk::<2>() else { return refused("short") };
        let known = state.get(&[key]).and_then(|value| value.try_into().ok()).map_or(0, u64::from_le_bytes);
        let sum = known + u64::from(amount);
        // Written before the decision: the engine must undo it.
        if let Err(error) = state.insert(&[key], &sum.to_le_bytes()) {
            return error.into();
        }
        let note = [key, rest.first().copied().unwrap_or_default() % 16];
        if let Err(error) = state.insert(&note, &[amount; NOTE_BYTES]) {
            return error.into();
        }
        if sum > 200 && sum % 2 == 1 { refused("odd") } else { done(sum) }
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        Outcome::Done(view.get(query).map(Bytes::copy_from_slice).unwrap_or_default())
    }

    fn admit(&self, _operation: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// What the counters must be, without the engine.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    sums: BTreeMap<u8, u64>,
}

impl Reference {
    /// What must become of an operation.
    pub fn execute(&mut self, operation: &[u8]) -> Outcome {
        let [key, amount, ..] = operation else { return refused("short") };
        let sum = self.sums.get(key).copied().unwrap_or(0) + u64::from(*amount);
        if sum > 200 && sum % 2 == 1 {
            return refused("odd");
        }
        self.sums.insert(*key, sum);
        done(sum)
    }
}

fn done(sum: u64) -> Outcome {
    Outcome::Done(Bytes::copy_from_slice(&sum.to_le_bytes()))
}

fn refused(reason: &'static str) -> Outcome {
    Outcome::Refused(Bytes::from_static(reason.as_bytes()))
}
