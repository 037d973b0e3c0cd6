//! A replica that has an older state, or none, fetches a newer one node by node. Whatever the two states are, it asks for
//! the nodes that differ, each once, and ends with exactly the state whose root it was given.
//!
//! A node that is there already is found unless it has moved up, because a branch above it is gone: its place is only
//! known when it has come. Its parts are found then.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate_crypto::Digest;

use super::samples::{Change, changes, entries, spread_entries, state_of};
use crate::execution::state::{Assembly, Base, State, StateLimits, Supplied};
use crate::messages::{Extent, NodePath, StateNode};

/// Nodes by their hashes. What has one hash has the same keys, so that of two places one lies on the way to the other.
type Places = BTreeMap<Digest, NodePath>;

/// Asks until the assembly is complete, `at_once` nodes to a question, and answers as an honest replica does: the nodes
/// that were asked for, and the bytes that were sent.
fn fetch(assembly: &mut Assembly, goal: &State, at_once: usize, only: Option<Extent>) -> (Places, usize) {
    let (mut asked, mut bytes) = (Places::new(), 0);
    while !assembly.is_complete() {
        let wanted = assembly.take_wanted(at_once);
        assert!(!wanted.is_empty(), "an assembly that is not complete wants something");
        // In the reverse order: answers may come in any.
        for (path, hash, extent) in wanted.into_iter().rev() {
            let node = goal.node(&path, &hash, only.unwrap_or(extent)).expect("the goal has what is wanted");
            bytes += node.weight();
            if assembly.supply(&path, &node) == Ok(Supplied::WantedWhole) {
                assert_eq!(extent, Extent::Node);
                continue;
            }
            assert_eq!(assembly.supply(&path, &node), Ok(Supplied::Unneeded), "a node twice");
            assert_eq!(asked.insert(hash, path), None, "asked for twice");
        }
    }
    (asked, bytes)
}

fn assembly(goal: &State, bases: &[&State]) -> Assembly {
    let bases = bases.iter().map(|base| Base::from(*base)).collect();
    Assembly::new(goal.root(), StateLimits::default(), bases)
}

/// All nodes of a state, walked from the root.
fn nodes(state: &State) -> Places {
    let mut found = Places::new();
    let mut ahead = vec![(NodePath::root(), state.root())];
    while let Some((path, hash)) = ahead.pop() {
        if let StateNode::Branch(branch) = state.node(&path, &hash, Extent::Node).expect("a state has its own nodes") {
            let below = |nibble| NodePath::below(&branch.prefix, branch.nibbles, nibble);
            ahead.extend(branch.nibbles_of_children().map(below).zip(branch.children));
        }
        found.insert(hash, path);
    }
    found
}

/// Whether a node that is wanted at `path` is there, and has not moved up.
fn is_there(there: &Places, hash: &Digest, path: &NodePath) -> bool {
    there.get(hash).is_some_and(|before| before.nibbles() <= path.nibbles())
}

fn assert_same(found: &State, expected: &State) {
    assert_eq!((found.root(), found.len(), found.weight()), (expected.root(), expected.len(), expected.weight()));
    assert!(found.range(&[]).eq(expected.range(&[])));
}

proptest! {
    #[test]
    fn only_nodes_that_differ_are_fetched_each_once_and_the_root_is_exact(
        base in entries(40),
        changed in changes(20),
        at_once in 1_usize..5,
        more in changes(6),
    ) {
        let (base, mut model) = (state_of(&base), base);
        let mut goal = base.clone();
        changed.iter().for_each(|change| change.apply(&mut goal, &mut model));
        let mut assembly = assembly(&goal, &[&base]);
        let (asked, _) = fetch(&mut assembly, &goal, at_once, Some(Extent::Node));
        let mut differ = nodes(&goal);
        if goal.is_empty() {
            differ.clear();
        }
        let there = nodes(&base);
        differ.retain(|hash, path| !is_there(&there, hash, path));
        prop_assert_eq!(asked, differ);

        let mut state = assembly.into_state().expect("complete");
        assert_same(&state, &goal);
        // Its shape is the one that later changes rely on.
        let mut other = model.clone();
        more.iter().for_each(|change| change.apply(&mut state, &mut model));
        more.iter().for_each(|change| change.apply(&mut goal, &mut other));
        assert_same(&state, &goal);
    }

    #[test]
    fn whole_subtrees_take_no_more_nodes_and_give_the_same_state(base in entries(12), goal in entries(60)) {
        let (base, goal) = (state_of(&base), state_of(&goal));
        let mut by_node = assembly(&goal, &[&base]);
        let mut by_subtree = by_node.clone();
        let (nodes, _) = fetch(&mut by_node, &goal, 4, Some(Extent::Node));
        let (subtrees, _) = fetch(&mut by_subtree, &goal, 4, None);
        prop_assert!(subtrees.len() <= nodes.len());
        assert_same(&by_subtree.into_state().expect("complete"), &goal);
    }

    #[test]
    fn what_was_fetched_for_a_goal_that_moved_is_not_fetched_again(
        base in entries(20),
        first in changes(20),
        second in changes(5),
        stop_after in 0_usize..12,
    ) {
        let (base, mut model) = (state_of(&base), base);
        let mut goal = base.clone();
        first.iter().for_each(|change| change.apply(&mut goal, &mut model));
        let mut early = assembly(&goal, &[&base]);
        let mut before = Places::new();
        for (path, hash, _) in (0..stop_after).flat_map(|_| early.take_wanted(1)).collect::<Vec<_>>() {
            let node = goal.node(&path, &hash, Extent::Node).expect("held");
            early.supply(&path, &node).expect("right");
            if matches!(node, StateNode::Entries { .. }) {
                before.insert(hash, path);
            }
        }
        second.iter().for_each(|change| change.apply(&mut goal, &mut model));
        let mut late = Assembly::new(goal.root(), StateLimits::default(), early.into_bases());
        let (asked, _) = fetch(&mut late, &goal, 3, None);
        prop_assert!(!asked.iter().any(|(hash, path)| is_there(&before, hash, path)));
        assert_same(&late.into_state().expect("complete"), &goal);
    }
}

#[test]
fn a_state_that_is_there_already_is_not_fetched() {
    for state in [State::new(), state_of(&spread_entries(500))] {
        let assembly = assembly(&state, &[&State::new(), &state]);
        assert!(assembly.is_complete());
        assert_same(&assembly.into_state().unwrap(), &state);
    }
}

#[test]
fn a_replica_without_a_state_gets_hardly_more_bytes_than_the_entries_weigh() {
    let goal = state_of(&spread_entries(20_000));
    let mut assembly = assembly(&goal, &[]);
    let (asked, bytes) = fetch(&mut assembly, &goal, 64, None);
    assert!(asked.len() < 400, "{} nodes", asked.len());
    assert!(bytes as u64 <= goal.weight() + goal.weight() / 50, "{bytes} bytes for {}", goal.weight());
    assert_same(&assembly.into_state().unwrap(), &goal);
}

#[test]
fn a_base_that_has_nothing_in_common_with_the_goal_costs_hardly_more_than_none() {
    let model = spread_entries(20_000);
    let goal = state_of(&model);
    let other = model.keys().map(|key| (key.clone(), vec![9; 64])).collect();
    let (asked, bytes) = fetch(&mut assembly(&goal, &[&state_of(&other)]), &goal, 64, None);
    assert!(asked.len() < 400, "{} nodes", asked.len());
    assert!(bytes as u64 <= goal.weight() + goal.weight() / 10, "{bytes} bytes for {}", goal.weight());
}

#[test]
fn what_is_open_and_wanted_stays_small_however_large_the_state_is() {
    let goal = state_of(&spread_entries(20_000));
    let mut assembly = assembly(&goal, &[]);
    let mut most = 0;
    while !assembly.is_complete() {
        for (path, hash, _) in assembly.take_wanted(8) {
            let node = goal.node(&path, &hash, Extent::Node).unwrap();
            assembly.supply(&path, &node).unwrap();
        }
        most = most.max(assembly.missing());
    }
    assert!(most < 8 * 16 * 8, "{most} nodes wanted at once");
}

#[test]
fn a_changed_key_among_many_costs_the_way_to_it() {
    let mut model = spread_entries(20_000);
    let base = state_of(&model);
    let mut goal = base.clone();
    let key = model.keys().nth(777).cloned().unwrap();
    Change::Insert(key, vec![1]).apply(&mut goal, &mut model);
    let (asked, bytes) = fetch(&mut assembly(&goal, &[&base]), &goal, 8, None);
    assert!(asked.len() <= 6 && bytes < 5_000, "{} nodes, {bytes} bytes", asked.len());
}
