//! The limits are exact to the byte, and a refused change leaves no trace.

use crate::execution::state::{KEY_BYTES_MAX, STATE_WEIGHT_MAX, State, StateError, StateLimits, VALUE_BYTES_MAX};
use crate::genesis::Limits;

#[test]
fn keys_of_128_bytes_and_values_of_64_kib_are_the_largest() {
    let mut state = State::new();
    assert_eq!(state.insert(&[1; 128], &[2; 65_536]), Ok(()));
    assert_eq!(state.insert(&[1; 129], b""), Err(StateError::KeyTooLong { bytes: 129, bytes_max: 128 }));
    let refused = StateError::ValueTooLong { bytes: 65_537, bytes_max: 65_536 };
    assert_eq!(state.insert(b"", &[2; 65_537]), Err(refused));
    assert_eq!(state.len(), 1);
    assert_eq!(state.get(&[1; 129]), None);
    assert!(!state.remove(&[1; 129]));
}

#[test]
fn the_genesis_can_lower_the_limits() {
    let mut state = State::with_limits(StateLimits { key_bytes_max: 3, value_bytes_max: 4, weight_max: 100 });
    assert_eq!(state.insert(b"key", b"four"), Ok(()));
    assert_eq!(state.insert(b"long", b""), Err(StateError::KeyTooLong { bytes: 4, bytes_max: 3 }));
    assert_eq!(state.insert(b"", b"large"), Err(StateError::ValueTooLong { bytes: 5, bytes_max: 4 }));
}

#[test]
fn the_genesis_cannot_raise_the_limits() {
    let raised = StateLimits { key_bytes_max: usize::MAX, value_bytes_max: usize::MAX, weight_max: u64::MAX };
    let limits = State::with_limits(raised).limits();
    assert_eq!(limits, StateLimits::default());
    assert_eq!((limits.key_bytes_max, limits.value_bytes_max), (KEY_BYTES_MAX, VALUE_BYTES_MAX));
    assert_eq!(limits.weight_max, STATE_WEIGHT_MAX);
}

#[test]
fn a_state_is_full_to_the_byte_and_still_takes_what_makes_it_lighter() {
    let mut state = State::with_limits(StateLimits { weight_max: 40, ..StateLimits::default() });
    assert_eq!(state.insert(b"a", &[0; 11]), Ok(()));
    let root = state.root();
    let refused = StateError::StateTooHeavy { weight: 41, weight_max: 40 };
    assert_eq!(state.insert(b"b", &[0; 12]), Err(refused));
    assert_eq!((state.root(), state.len(), state.weight()), (root, 1, 20));
    assert_eq!(state.insert(b"b", &[0; 11]), Ok(()));
    assert_eq!(state.weight(), 40);
    assert_eq!(state.insert(b"b", &[1; 11]), Ok(()));
    assert_eq!(state.insert(b"b", &[1; 10]), Ok(()));
    assert_eq!(state.insert(b"b", &[1; 11]), Ok(()));
}

#[test]
fn a_bulk_build_keeps_the_limits_too() {
    let limits = StateLimits { key_bytes_max: 3, value_bytes_max: 4, weight_max: 22 };
    let build =
        |entries: &[(&str, &str)]| State::from_entries(limits, entries.iter().copied()).map(|state| state.len());
    assert_eq!(build(&[("a", "12"), ("b", "12")]), Ok(2));
    assert_eq!(build(&[("a", "12"), ("b", "123")]), Err(StateError::StateTooHeavy { weight: 23, weight_max: 22 }));
    assert_eq!(build(&[("long", "")]), Err(StateError::KeyTooLong { bytes: 4, bytes_max: 3 }));
    assert_eq!(build(&[("a", "large")]), Err(StateError::ValueTooLong { bytes: 5, bytes_max: 4 }));
}

#[test]
fn the_limits_of_the_genesis_are_taken_over() {
    let genesis = Limits { key_bytes_max: 3, value_bytes_max: 4, state_bytes_max: 5, ..Limits::default() };
    let expected = StateLimits { key_bytes_max: 3, value_bytes_max: 4, weight_max: 5 };
    assert_eq!(StateLimits::from(&genesis), expected);
}
