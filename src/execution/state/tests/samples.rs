//! Entries and changes that make awkward shapes.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::execution::state::State;

/// What a state is compared with.
pub(super) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// One change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Insert(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
}

impl Change {
    pub(super) fn apply(&self, state: &mut State, model: &mut Model) {
        match self {
            Change::Insert(key, value) => {
                state.insert(key, value).expect("within the limits");
                model.insert(key.clone(), value.clone());
            }
            Change::Remove(key) => assert_eq!(state.remove(key), model.remove(key).is_some()),
        }
    }
}

/// Few distinct keys, so that they meet: prefixes of each other, apart by one nibble, empty, or as long as keys can be.
pub(super) fn keys() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0x00, 0x01, 0x10, 0x11, 0xff]);
    let long = (120_usize..=128, byte.clone()).prop_map(|(length, last)| {
        let mut key = vec![0x11; length];
        key[length - 1] = last;
        key
    });
    prop_oneof![4 => vec(byte, 0..5), 1 => long, 1 => vec(any::<u8>(), 0..3)]
}

/// Values around the places where pages split.
pub(super) fn values() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![6 => 0_usize..60, 3 => 200_usize..600, 2 => 990_usize..1030, 1 => 1030_usize..3000];
    (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length])
}

pub(super) fn changes(count: usize) -> impl Strategy<Value = Vec<Change>> {
    let insert = (keys(), values()).prop_map(|(key, value)| Change::Insert(key, value));
    vec(prop_oneof![3 => insert, 2 => keys().prop_map(Change::Remove)], 0..count)
}

pub(super) fn entries(count: usize) -> impl Strategy<Value = Model> {
    prop::collection::btree_map(keys(), values(), 0..count)
}

/// A state that was filled one entry at a time.
pub(super) fn state_of(model: &Model) -> State {
    let mut state = State::new();
    for (key, value) in model {
        state.insert(key, value).expect("within the limits");
    }
    state
}

/// `count` entries that weigh 88 each, with keys spread evenly.
pub(super) fn spread_entries(count: u64) -> Model {
    let key = |number: u64| {
        let digest = quorate_crypto::Hasher::new("test key").u64(number).finish();
        digest.as_bytes()[..16].to_vec()
    };
    (0..count).map(|number| (key(number), vec![number as u8; 64])).collect()
}
