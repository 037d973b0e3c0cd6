//! A clone and its original share nodes and never see each other's changes.

use std::sync::Arc;

use proptest::prelude::*;

use crate::execution::state::State;
use crate::execution::state::node::Node;

use super::naive;
use super::samples::{changes, entries, spread_entries, state_of};

proptest! {
    #[test]
    fn changes_of_a_clone_never_show_in_the_original(model in entries(40), kept in changes(20), dropped in changes(20)) {
        let (mut state, mut model) = (state_of(&model), model);
        let (before, model_before) = (state.clone(), model.clone());
        {
            let (mut overlay, mut overlay_model) = (state.clone(), model.clone());
            dropped.iter().for_each(|change| change.apply(&mut overlay, &mut overlay_model));
            prop_assert_eq!(overlay.root(), naive::root_of(&overlay_model));
        }
        prop_assert_eq!(state.root(), naive::root_of(&model));
        kept.iter().for_each(|change| change.apply(&mut state, &mut model));
        prop_assert_eq!(state.root(), naive::root_of(&model));
        prop_assert_eq!(before.root(), naive::root_of(&model_before));
        prop_assert!(before.range(b"").map(|(key, _)| key).eq(model_before.keys()));
    }
}

/// How many children of the root two states share.
fn shared_children(left: &State, right: &State) -> usize {
    let (Node::Branch(left), Node::Branch(right)) = (&left.root.node, &right.root.node) else {
        panic!("both are branches")
    };
    let same = |(left, right): (&Node, &Node)| match (left, right) {
        (Node::Branch(left), Node::Branch(right)) => Arc::ptr_eq(left, right),
        (Node::Page(left), Node::Page(right)) => std::ptr::eq(left.packed(), right.packed()),
        (Node::Branch(_), Node::Page(_)) | (Node::Page(_), Node::Branch(_)) => false,
    };
    let nodes = left.children.iter().map(|child| &child.node).zip(right.children.iter().map(|child| &child.node));
    nodes.filter(|pair| same(*pair)).count()
}

#[test]
fn a_change_copies_one_path_and_shares_the_rest() {
    let model = spread_entries(5000);
    let state = state_of(&model);
    let mut changed = state.clone();
    let key = model.keys().next().expect("not empty");
    changed.insert(key, b"changed").expect("within the limits");
    assert_eq!(shared_children(&state, &changed), 15);
}

#[test]
fn what_changes_nothing_copies_nothing() {
    let model = spread_entries(5000);
    let state = state_of(&model);
    let mut same = state.clone();
    let (key, value) = model.iter().next().expect("not empty");
    same.insert(key, value).expect("within the limits");
    assert!(!same.remove(b"absent"));
    assert_eq!(shared_children(&state, &same), 16);
}

#[test]
fn a_clone_can_be_hashed_and_written_in_another_thread_while_the_original_changes() {
    let model = spread_entries(2000);
    let mut state = state_of(&model);
    let root = state.clone().root();
    let snapshot = state.clone();
    let writer = std::thread::spawn(move || (snapshot.root(), snapshot.pages().map(|page| page.len()).sum::<usize>()));
    for key in model.keys() {
        assert!(state.remove(key));
        assert_ne!(state.root(), root);
    }
    assert_eq!(writer.join().expect("no panic"), (root, naive::weight_of(&model) as usize));
}
