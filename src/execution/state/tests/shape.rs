//! The shape depends on the content only: whatever the history, the root is that of the naive restatement, and every node
//! in memory keeps the invariants that the editing relies on.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::execution::state::State;
use crate::execution::state::node::{Child, Node};

use super::naive;
use super::samples::{Model, changes, entries, spread_entries, state_of};

/// Checks weights, part counts and prefixes of all nodes; gives the number of pages and branches.
fn check_nodes(child: &Child) -> (usize, usize) {
    let Node::Branch(branch) = &child.node else { return (1, 0) };
    let own = branch.own.as_ref().map_or(0, |own| 8 + branch.prefix.packed().len() + own.value.len()) as u64;
    let below: u64 = branch.children.iter().map(|child| child.node.weight()).sum();
    assert_eq!(branch.weight, own + below);
    assert!(branch.weight > 1024);
    assert!(branch.children.len() + usize::from(branch.own.is_some()) >= 2);
    assert_eq!(branch.children.len(), branch.bitmap.count_ones() as usize);
    assert!(branch.children.iter().all(|child| !child.is_empty()));
    branch.children.iter().map(check_nodes).fold((0, 1), |sum, part| (sum.0 + part.0, sum.1 + part.1))
}

fn nodes_of(state: &State) -> (usize, usize) {
    check_nodes(&state.root)
}

proptest! {
    #[test]
    fn any_history_gives_the_root_of_the_naive_restatement(changes in changes(80), roots_at in 1_usize..20) {
        let (mut state, mut model) = (State::new(), Model::new());
        for (step, change) in changes.iter().enumerate() {
            change.apply(&mut state, &mut model);
            if step % roots_at == 0 {
                prop_assert_eq!(state.root(), naive::root_of(&model));
                nodes_of(&state);
            }
        }
        prop_assert_eq!(state.root(), naive::root_of(&model));
        nodes_of(&state);
    }

    #[test]
    fn the_order_of_inserts_does_not_show_in_the_root(model in entries(60), picks in prop::collection::vec(any::<Index>(), 60)) {
        let mut shuffled: Vec<_> = model.iter().collect();
        for (place, pick) in (0..shuffled.len()).zip(picks) {
            let other = pick.index(shuffled.len());
            shuffled.swap(place, other);
        }
        let mut state = State::new();
        for (key, value) in shuffled {
            state.insert(key, value).expect("within the limits");
        }
        prop_assert_eq!(state.root(), naive::root_of(&model));
    }

    #[test]
    fn removing_everything_leads_through_fresh_shapes_back_to_the_empty_one(model in entries(60)) {
        let mut state = state_of(&model);
        let mut left = model.clone();
        for key in model.keys() {
            assert!(state.remove(key));
            left.remove(key);
            prop_assert_eq!(state.root(), naive::root_of(&left));
        }
        prop_assert_eq!(state.root(), State::new().root());
    }
}

/// Entries with one-byte keys that weigh 1,024 together.
fn full_page() -> Model {
    [(b"a".to_vec(), vec![1; 503]), (b"b".to_vec(), vec![2; 503])].into()
}

#[test]
fn a_page_splits_one_byte_above_its_limit() {
    let mut model = full_page();
    assert_eq!(nodes_of(&state_of(&model)), (1, 0));
    model.insert(b"a".to_vec(), vec![1; 504]);
    assert_eq!(nodes_of(&state_of(&model)), (2, 1));
}

#[test]
fn a_smaller_value_turns_a_branch_back_into_a_page() {
    let mut state = state_of(&full_page());
    let page = state.root();
    state.insert(b"a", &[1; 504]).expect("within the limits");
    assert_eq!(nodes_of(&state), (2, 1));
    state.insert(b"a", &[1; 503]).expect("within the limits");
    assert_eq!((nodes_of(&state), state.root()), ((1, 0), page));
}

#[test]
fn a_removal_turns_the_topmost_node_within_the_limit_into_a_page() {
    let mut state = State::new();
    for key in [&b"aaaa"[..], b"aaab", b"aab", b"ab", b"b"] {
        state.insert(key, &[1; 300]).expect("within the limits");
    }
    assert_eq!(nodes_of(&state), (3, 2));
    assert!(state.remove(b"b"));
    assert_eq!(nodes_of(&state), (2, 1));
    assert!(state.remove(b"aaaa"));
    assert_eq!(nodes_of(&state), (1, 0));
}

#[test]
fn one_entry_is_a_page_whatever_it_weighs() {
    let mut state = State::new();
    state.insert(b"key", &[1; 65_536]).expect("within the limits");
    assert_eq!(nodes_of(&state), (1, 0));
    assert_eq!(state.weight(), 8 + 3 + 65_536);
}

#[test]
fn a_branch_left_with_its_own_value_becomes_that_page() {
    let mut state = State::new();
    state.insert(b"key", &[1; 2000]).expect("within the limits");
    let alone = state.root();
    state.insert(b"key and more", &[2; 2000]).expect("within the limits");
    assert_eq!(nodes_of(&state), (1, 1));
    assert!(state.remove(b"key and more"));
    assert_eq!((nodes_of(&state), state.root()), ((1, 0), alone));
}

#[test]
fn a_branch_left_with_one_child_becomes_that_child() {
    let mut state = State::new();
    state.insert(b"ab1", &[1; 2000]).expect("within the limits");
    state.insert(b"ab2", &[2; 2000]).expect("within the limits");
    let alone = state.root();
    state.insert(b"a", &[3; 10]).expect("within the limits");
    assert_eq!(nodes_of(&state), (2, 2));
    assert!(state.remove(b"a"));
    assert_eq!((nodes_of(&state), state.root()), ((2, 1), alone));
}

#[test]
fn keys_that_are_prefixes_of_each_other_build_a_chain_of_every_length() {
    let model: Model = (0..=128).map(|length| (vec![0xab; length], vec![length as u8; 50])).collect();
    let mut state = state_of(&model);
    assert_eq!(state.root(), naive::root_of(&model));
    for length in (0..=128).rev() {
        assert!(state.remove(&vec![0xab; length]));
    }
    assert_eq!(state.root(), State::new().root());
}

#[test]
fn a_thousand_spread_keys_have_the_root_of_the_naive_restatement() {
    let model = spread_entries(1000);
    assert_eq!(state_of(&model).root(), naive::root_of(&model));
}

#[test]
fn the_roots_of_version_1_stay_what_they_are() {
    assert_eq!(State::new().root().to_string(), "84ccc0ddf3d30f1d1ebf3aae02f86b6efaaca92d82fc5c96bdd7c7ff03818fa3");
    assert_eq!(
        state_of(&spread_entries(1)).root().to_string(),
        "88fe524a5060d9e1659bded3d0959b2b005553812bf1607c26da2685ec1292d8"
    );
    assert_eq!(
        state_of(&spread_entries(100)).root().to_string(),
        "89f5b15188cdac9325fa8a0762473861fd073e03b667549167480cacf3c57546"
    );
}
