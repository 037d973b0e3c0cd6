//! A state answers like a `BTreeMap`.

use proptest::prelude::*;

use crate::execution::state::State;

use super::naive;
use super::samples::{Model, changes, entries, keys, state_of};

type Listed<'a> = Vec<(&'a [u8], &'a [u8])>;

fn listed(model: &Model, keep: impl Fn(&[u8]) -> bool) -> Listed<'_> {
    model.iter().map(|(key, value)| (&key[..], &value[..])).filter(|(key, _)| keep(key)).collect()
}

proptest! {
    #[test]
    fn answers_like_an_ordered_map(changes in changes(60), asked in prop::collection::vec(keys(), 20)) {
        let (mut state, mut model) = (State::new(), Model::new());
        for change in &changes {
            change.apply(&mut state, &mut model);
            prop_assert_eq!(state.len(), model.len() as u64);
            prop_assert_eq!(state.is_empty(), model.is_empty());
            prop_assert_eq!(state.weight(), naive::weight_of(&model));
        }
        for key in model.keys().chain(&asked) {
            prop_assert_eq!(state.get(key), model.get(key).map(Vec::as_slice));
        }
    }

    #[test]
    fn ranges_give_exactly_the_keys_below_a_prefix_in_order(model in entries(50), asked in prop::collection::vec(keys(), 20)) {
        let state = state_of(&model);
        for prefix in model.keys().chain(&asked) {
            prop_assert_eq!(state.range(prefix).collect::<Listed<'_>>(), listed(&model, |key| key.starts_with(prefix)));
        }
    }

    #[test]
    fn a_range_goes_on_after_any_key(model in entries(50), asked in prop::collection::vec((keys(), keys()), 20)) {
        let state = state_of(&model);
        let own_keys = model.keys().map(|key| (Vec::new(), key.clone()));
        for (prefix, after) in own_keys.chain(asked) {
            let expected = listed(&model, |key| key.starts_with(&prefix) && key > &after[..]);
            prop_assert_eq!(state.range_from(&prefix, &after).collect::<Listed<'_>>(), expected);
        }
    }

    #[test]
    fn pages_of_a_listing_join_to_the_whole(model in entries(50), page_entries in 1_usize..7) {
        let state = state_of(&model);
        let mut joined: Listed<'_> = state.range(b"").take(page_entries).collect();
        while let Some((last, _)) = joined.last().copied() {
            let page: Listed<'_> = state.range_from(b"", last).take(page_entries).collect();
            if page.is_empty() {
                break;
            }
            joined.extend(page);
        }
        prop_assert_eq!(joined, listed(&model, |_| true));
    }
}

#[test]
fn a_range_that_ended_stays_ended() {
    let model: Model = (0..100_u8).map(|byte| (vec![byte], vec![byte; 50])).collect();
    let state = state_of(&model);
    let mut range = state.range(&[7]);
    assert!(range.next().is_some());
    assert!(range.next().is_none());
    assert!(range.next().is_none());
}

#[test]
fn the_view_answers_like_the_state_it_was_taken_of() {
    let model: Model = (0..100_u8).map(|byte| (vec![byte], vec![byte; 50])).collect();
    let mut state = state_of(&model);
    let view = state.view();
    let root = state.root();
    state.insert(&[7], b"other").expect("within the limits");
    assert_eq!(view.get(&[7]), Some(&[7; 50][..]));
    assert_eq!((view.root(), view.len(), view.weight()), (root, 100, naive::weight_of(&model)));
    assert_eq!(view.range(b"").count(), 100);
    assert_eq!(view.range_from(b"", &[49]).count(), 50);
    assert_eq!(view.prove(&[7]).verify(&root, &[7]), Ok(Some(vec![7; 50])));
    assert!(!view.is_empty());
}
