//! The changes between two states are the pages in which they differ, no more and no fewer, and are found without a look at
//! what is shared.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::execution::state::State;
use crate::execution::state::page::Entries;

use super::samples::{Model, changes, entries, spread_entries, state_of};

/// A store of pages: each under its first key.
type Store = BTreeMap<Vec<u8>, Vec<u8>>;

fn store_of(state: &State) -> Store {
    let first_key = |page: &[u8]| Entries::of(page).next().expect("not empty").0.to_vec();
    state.pages().map(|page| (first_key(&page), page.to_vec())).collect()
}

/// Brings the pages of `base` to those of `state`. Every change must be needed, and come in order.
fn bring_up(base: &State, state: &State) -> Store {
    let mut store = store_of(base);
    let mut last: Option<Vec<u8>> = None;
    for change in state.changes_since(base) {
        assert!(last.as_ref().is_none_or(|last| *last < change.first_key), "in order, each once");
        let before = match &change.page {
            Some(page) => store.insert(change.first_key.clone(), page.to_vec()),
            None => store.remove(&change.first_key),
        };
        assert_ne!(before.as_deref(), change.page.as_deref(), "nothing is written that stands there already");
        last = Some(change.first_key);
    }
    store
}

proptest! {
    #[test]
    fn a_store_brought_up_holds_the_pages_of_the_state(model in entries(60), edits in changes(40)) {
        let (mut state, mut model) = (state_of(&model), model);
        let base = state.clone();
        edits.iter().for_each(|edit| edit.apply(&mut state, &mut model));
        prop_assert_eq!(bring_up(&base, &state), store_of(&state));
        prop_assert_eq!(bring_up(&state, &base), store_of(&base));
        prop_assert_eq!(state.changes_since(&state).count(), 0);
    }

    #[test]
    fn states_that_share_nothing_in_memory_are_compared_too(before in entries(60), after in entries(60), hashed in any::<bool>()) {
        let (base, state) = (state_of(&before), state_of(&after));
        if hashed {
            assert_eq!(base.root() == state.root(), before == after);
        }
        prop_assert_eq!(bring_up(&base, &state), store_of(&state));
        let again = state_of(&after);
        prop_assert_eq!(again.changes_since(&state).count(), 0);
    }
}

#[test]
fn all_pages_are_new_to_an_empty_store_and_none_is_left_in_an_emptied_one() {
    let state = state_of(&spread_entries(1000));
    let pages = state.pages().count();
    assert_eq!(bring_up(&State::new(), &state), store_of(&state));
    assert_eq!(state.changes_since(&State::new()).count(), pages);
    assert_eq!(State::new().changes_since(&state).filter(|change| change.page.is_none()).count(), pages);
}

#[test]
fn one_changed_entry_is_one_changed_page() {
    let model = spread_entries(5000);
    let base = state_of(&model);
    for key in model.keys().step_by(501) {
        let mut state = base.clone();
        state.insert(key, &[0xff; 64]).expect("within the limits");
        assert_eq!(state.changes_since(&base).count(), 1);
    }
}

#[test]
fn an_own_value_and_a_longer_prefix_change_their_own_pages_only() {
    let mut model: Model =
        spread_entries(100).into_iter().map(|(key, value)| ([b"name/", &key[..]].concat(), value)).collect();
    let base = state_of(&model);
    model.insert(b"name/".to_vec(), vec![1; 100]);
    let with_own = state_of(&model);
    assert_eq!(with_own.changes_since(&base).count(), 1, "the key that ends at the branch");
    model.insert(b"other".to_vec(), vec![1; 2000]);
    let forked = state_of(&model);
    assert_eq!(forked.changes_since(&with_own).count(), 1, "a branch above all others");
    assert_eq!(with_own.changes_since(&forked).count(), 1);
}
