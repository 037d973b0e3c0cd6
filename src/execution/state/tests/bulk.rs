//! A state that is written page by page and read back is the same state; damage is noticed.

use proptest::prelude::*;

use crate::execution::state::{State, StateBuilder, StateError, StateLimits};

use super::naive;
use super::samples::{Model, entries, spread_entries, state_of};

fn read_back<P: AsRef<[u8]>>(pages: impl IntoIterator<Item = P>) -> Result<State, StateError> {
    let mut builder = StateBuilder::new(StateLimits::default());
    for page in pages {
        builder.push_page(page.as_ref())?;
    }
    Ok(builder.finish())
}

proptest! {
    #[test]
    fn a_bulk_build_gives_the_root_of_the_naive_restatement(model in entries(120)) {
        let state = State::from_entries(StateLimits::default(), &model).expect("sorted and within the limits");
        prop_assert_eq!(state.root(), naive::root_of(&model));
        prop_assert_eq!((state.len(), state.weight()), (model.len() as u64, naive::weight_of(&model)));
    }

    #[test]
    fn pages_are_read_back_as_the_same_state(model in entries(80)) {
        let state = state_of(&model);
        let again = read_back(state.pages()).expect("what was written");
        prop_assert_eq!((again.root(), again.len(), again.weight()), (state.root(), state.len(), state.weight()));
        prop_assert!(again.range(b"").eq(state.range(b"")));
    }

    #[test]
    fn a_state_built_in_bulk_can_be_changed_like_any_other(model in entries(80)) {
        let mut state = State::from_entries(StateLimits::default(), &model).expect("sorted and within the limits");
        let mut left = model.clone();
        for key in model.keys().step_by(2) {
            assert!(state.remove(key));
            left.remove(key);
        }
        prop_assert_eq!(state.root(), naive::root_of(&left));
    }

    #[test]
    fn arbitrary_bytes_never_panic_as_a_page(bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..200)) {
        let _ = read_back([bytes]);
    }
}

#[test]
fn the_empty_state_has_no_pages() {
    assert_eq!(State::new().pages().count(), 0);
    assert_eq!(read_back([[]; 0]).expect("nothing to read").root(), State::new().root());
}

#[test]
fn keys_out_of_order_or_doubled_are_refused() {
    for keys in [["b", "a"], ["a", "a"], ["a", ""], ["", ""]] {
        let entries = keys.map(|key| (key, "value"));
        assert_eq!(State::from_entries(StateLimits::default(), entries).err(), Some(StateError::OutOfOrder));
    }
}

#[test]
fn every_cut_and_every_flipped_bit_of_a_page_is_refused_or_gives_another_root() {
    let state = state_of(&spread_entries(3));
    let page = state.pages().next().expect("one page").into_owned();
    for end in 0..page.len() {
        assert!(!read_back([&page[..end]]).is_ok_and(|cut| cut.root() == state.root()), "cut at {end}");
    }
    for bit in 0..8 * page.len() {
        let mut flipped = page.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!read_back([flipped]).is_ok_and(|other| other.root() == state.root()), "bit {bit}");
    }
}

#[test]
fn large_values_and_long_chains_are_built_in_one_pass() {
    let mut model: Model = (0..=128).map(|length| (vec![0xab; length], vec![7; 700])).collect();
    model.insert(vec![0xac], vec![1; 65_536]);
    model.insert(vec![0xab, 0xac], vec![1; 65_536]);
    let state = State::from_entries(StateLimits::default(), &model).expect("sorted and within the limits");
    assert_eq!(state.root(), naive::root_of(&model));
}
