//! Large states whose keys are spread as addresses are.

use std::hint::black_box;

use quorate::execution::state::{State, StateLimits};
use quorate_crypto::Hasher;

/// How many keys change between two checkpoints.
pub const CHANGED: u64 = 1_000;
const VALUE_BYTES: usize = 32;

/// Keys whose order says nothing, as addresses have none.
#[must_use]
pub fn key(index: u64) -> [u8; 32] {
    *Hasher::new("bench/key").u64(index).finish().as_bytes()
}

/// A value of that round.
#[must_use]
pub fn value(round: u64) -> [u8; VALUE_BYTES] {
    *Hasher::new("bench/value").u64(round).finish().as_bytes()
}

/// A state of so many keys with its root computed.
///
/// # Panics
/// Never: the entries are sorted and small.
#[must_use]
pub fn state(keys: u64) -> State {
    let mut sorted: Vec<_> = (0..keys).map(key).collect();
    sorted.sort_unstable();
    let entries = sorted.into_iter().map(|key| (key, [7; VALUE_BYTES]));
    let state = State::from_entries(StateLimits::default(), entries).expect("sorted and small");
    black_box(state.root());
    state
}

/// The state with [`CHANGED`] of its keys changed, other ones in every round.
///
/// # Panics
/// Never: the entries are within the limits.
#[must_use]
pub fn changed(state: &State, keys: u64, round: u64) -> State {
    let mut changed = state.clone();
    let first = round * CHANGED;
    for index in first..first + CHANGED {
        changed.insert(&key(index % keys), &value(round)).expect("within the limits");
    }
    changed
}
