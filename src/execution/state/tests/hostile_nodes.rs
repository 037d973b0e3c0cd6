//! Nodes from a peer that lies are refused and asked for again; nodes that a certified hash leads to, but that no state
//! has, show that the goal is none, and are refused without a panic.

use bytes::Bytes;
use proptest::prelude::*;
use quorate_crypto::Digest;

use super::samples::{Model, spread_entries, state_of};
use crate::execution::state::hash::{BranchHeader, page_hash, value_hash};
use crate::execution::state::page::pack_entry;
use crate::execution::state::{Assembly, InvalidNode, State, StateError, StateLimits, Supplied};
use crate::messages::state_transfer::{BranchNode, OwnValue};
use crate::messages::{NodePath, StateNode};

fn entries(keys: &[&[u8]]) -> StateNode {
    let mut packed = Vec::new();
    keys.iter().for_each(|key| pack_entry(&mut packed, key, &[7; 600]));
    StateNode::Entries { packed: packed.into() }
}

fn branch(nibbles: u16, prefix: &[u8], bitmap: u16, children: &[Digest]) -> BranchNode {
    let prefix = Bytes::copy_from_slice(prefix);
    BranchNode { nibbles, prefix, own: OwnValue::Absent, bitmap, children: children.to_vec() }
}

fn hash(node: &StateNode) -> Digest {
    match node {
        StateNode::Entries { packed } => page_hash(packed),
        StateNode::Branch(branch) => {
            let own = match &branch.own {
                OwnValue::Absent => None,
                OwnValue::Value { value } => Some(value_hash(value)),
            };
            BranchHeader { nibbles: branch.nibbles, prefix: &branch.prefix, own, bitmap: branch.bitmap }
                .hash_with(branch.children.iter().copied())
        }
    }
}

fn start(goal: Digest, limits: StateLimits) -> Assembly {
    let mut assembly = Assembly::new(goal, limits, Vec::new());
    assembly.take_wanted(1);
    assembly
}

/// What becomes of nodes when the root's hash is that of the first one, and each of the others is its first child.
fn supply(nodes: &[StateNode], limits: StateLimits) -> Result<Supplied, InvalidNode> {
    let mut assembly = start(hash(&nodes[0]), limits);
    let mut path = NodePath::root();
    let mut result = Ok(Supplied::Unneeded);
    for node in nodes {
        result = assembly.supply(&path, node);
        assembly.take_wanted(16);
        if let StateNode::Branch(branch) = node {
            path = NodePath::below(&branch.prefix, branch.nibbles, branch.bitmap.trailing_zeros() as u8);
        }
    }
    result
}

const TWO: [Digest; 2] = [Digest::ZERO; 2];

#[test]
fn another_node_than_the_one_asked_for_is_refused_and_still_wanted() {
    let goal = state_of(&spread_entries(50));
    let right = goal.node(&NodePath::root(), &goal.root(), crate::messages::Extent::Node).unwrap();
    let StateNode::Branch(honest) = right.clone() else { panic!("a branch") };
    let more = [&honest.children[..], &TWO].concat();
    let lies = [
        entries(&[b"a"]),
        entries(&[]),
        StateNode::Entries { packed: Bytes::from_static(&[0; 7]) },
        StateNode::Branch(BranchNode { bitmap: 1, ..honest.clone() }),
        StateNode::Branch(BranchNode { children: Vec::new(), ..honest.clone() }),
        StateNode::Branch(BranchNode { children: more, ..honest.clone() }),
        StateNode::Branch(BranchNode { nibbles: 9, ..honest.clone() }),
        StateNode::Branch(BranchNode { own: OwnValue::Value { value: Bytes::new() }, ..honest }),
    ];
    let mut assembly = start(goal.root(), StateLimits::default());
    for lie in &lies {
        let refused = assembly.supply(&NodePath::root(), lie);
        assert_eq!(refused, Err(InvalidNode::WrongHash), "{lie:?}");
        assert!(refused.is_err_and(InvalidNode::is_senders_fault));
    }
    assert_eq!(assembly.missing(), 1);
    assert_eq!(assembly.supply(&NodePath::root(), &right), Ok(Supplied::Taken));
}

#[test]
fn entries_out_of_order_or_doubled_are_refused_whatever_their_hash_is() {
    for keys in [[b"b", b"a"], [b"a", b"a"]] {
        let node = entries(&keys.map(|key| &key[..]));
        assert_eq!(supply(&[node], StateLimits::default()), Err(InvalidNode::WrongHash));
    }
}

#[test]
fn a_place_that_nobody_waits_for_takes_nothing() {
    let mut assembly = start(state_of(&spread_entries(50)).root(), StateLimits::default());
    let elsewhere = NodePath::below(&[0x12], 2, 3);
    assert_eq!(assembly.supply(&elsewhere, &entries(&[b"a"])), Ok(Supplied::Unneeded));
    assembly.put_back(&elsewhere);
    assert_eq!(assembly.missing(), 1);
}

#[test]
fn a_branch_that_no_state_has_is_refused_under_its_own_hash() {
    let with_own = |branch| BranchNode { own: OwnValue::Value { value: Bytes::from_static(b"own") }, ..branch };
    let malformed = [
        ("too few bytes of prefix", branch(3, &[0x12], 0b11, &TWO)),
        ("padding that is not zero", branch(1, &[0x12], 0b11, &TWO)),
        ("one part", branch(0, &[], 0b1, &[Digest::ZERO])),
        ("an own value after half a byte", with_own(branch(1, &[0x10], 0b11, &TWO))),
        ("a prefix longer than keys are", branch(258, &[0; 129], 0b11, &TWO)),
        ("a prefix that leaves no nibble", branch(256, &[0; 128], 0b11, &TWO)),
    ];
    for (what, node) in malformed {
        let refused = supply(&[StateNode::Branch(node)], StateLimits::default());
        assert_eq!(refused, Err(InvalidNode::Malformed), "{what}");
        assert!(refused.is_err_and(|reason| !reason.is_senders_fault()));
    }
}

#[test]
fn a_node_whose_keys_do_not_belong_to_its_place_is_refused_under_its_own_hash() {
    for below in [entries(&[&[0x12]]), StateNode::Branch(branch(2, &[0x12], 0b11, &TWO))] {
        let above = StateNode::Branch(branch(0, &[], 0b101, &[hash(&below), Digest::ZERO]));
        assert_eq!(supply(&[above, below], StateLimits::default()), Err(InvalidNode::Misplaced));
    }
}

#[test]
fn a_branch_that_should_have_been_a_page_is_refused_under_its_own_hash() {
    let small = |key: &[u8]| {
        let mut packed = Vec::new();
        pack_entry(&mut packed, key, b"value");
        StateNode::Entries { packed: packed.into() }
    };
    let (left, right) = (small(&[0x02]), small(&[0x12]));
    let above = StateNode::Branch(branch(0, &[], 0b11, &[hash(&left), hash(&right)]));
    let mut assembly = start(hash(&above), StateLimits::default());
    assert_eq!(assembly.supply(&NodePath::root(), &above), Ok(Supplied::Taken));
    assert_eq!(assembly.supply(&NodePath::below(&[], 0, 0), &left), Ok(Supplied::Taken));
    assert_eq!(assembly.supply(&NodePath::below(&[], 0, 1), &right), Err(InvalidNode::NotCanonical));
    assert!(!assembly.is_complete());
}

#[test]
fn the_limits_of_the_genesis_hold_for_what_is_assembled() {
    let limits = StateLimits { key_bytes_max: 4, value_bytes_max: 600, weight_max: 2_000 };
    let refused = |keys: &[&[u8]], limits| supply(&[entries(keys)], limits).unwrap_err();
    let key = refused(&[b"12345"], limits);
    assert_eq!(key, InvalidNode::Limit(StateError::KeyTooLong { bytes: 5, bytes_max: 4 }));
    let value = refused(&[b"1"], StateLimits { value_bytes_max: 599, ..limits });
    assert_eq!(value, InvalidNode::Limit(StateError::ValueTooLong { bytes: 600, bytes_max: 599 }));
    let goal = state_of(&(0..4).map(|key| (vec![key], vec![7; 600])).collect::<Model>());
    let mut assembly = start(goal.root(), limits);
    let node = goal.node(&NodePath::root(), &goal.root(), crate::messages::Extent::Subtree).unwrap();
    let refused = assembly.supply(&NodePath::root(), &node).unwrap_err();
    assert_eq!(refused, InvalidNode::Limit(StateError::StateTooHeavy { weight: 2_436, weight_max: 2_000 }));
    assert!(State::with_limits(limits).is_empty());
}

proptest! {
    #[test]
    fn random_nodes_never_panic(
        packed in proptest::collection::vec(any::<u8>(), 0..200),
        nibbles in any::<u16>(),
        prefix in proptest::collection::vec(any::<u8>(), 0..140),
        bitmap in any::<u16>(),
        children in 0_usize..16,
    ) {
        let own = OwnValue::Value { value: Bytes::from(packed.clone()) };
        let children = vec![Digest::ZERO; children];
        let branch = BranchNode { nibbles, prefix: prefix.into(), own, bitmap, children };
        for node in [StateNode::Branch(branch), StateNode::Entries { packed: packed.into() }] {
            let _ = supply(&[node.clone(), node], StateLimits::default());
        }
    }
}
