//! A proof convinces of the truth only: the own root and key verify, everything else fails or says the same.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use quorate_crypto::Digest;

use crate::codec;
use crate::execution::state::State;
use crate::execution::state::proof::{InvalidProof, Proof, ProofNode, ProofValue};

use super::samples::{Model, entries, keys, spread_entries, state_of};

/// Asserts that a changed proof does not say anything false about `key`.
fn assert_harmless(proof: &Proof, root: &Digest, key: &[u8], truth: Option<&[u8]>) {
    if let Ok(answer) = proof.verify(root, key) {
        assert_eq!(answer.as_deref(), truth, "{proof:?} about {key:?}");
    }
}

/// Every proof whose encoding differs in one bit, as far as it is one.
fn bit_flips(proof: &Proof) -> impl Iterator<Item = Proof> {
    let encoded = codec::encode(proof);
    (0..8 * encoded.len()).filter_map(move |bit| {
        let mut flipped = encoded.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        codec::decode(&flipped).ok()
    })
}

/// Every proof that differs in a number, a digest or the presence of an own value.
fn field_changes(proof: &Proof) -> Vec<Proof> {
    let mut all = Vec::new();
    for (place, node) in proof.nodes.iter().enumerate() {
        let ProofNode::Branch { nibbles, prefix, own, bitmap, children } = node else { continue };
        let branch = |nibbles: u16, own: &ProofValue, bitmap: u16, children: Vec<Digest>| {
            let node = ProofNode::Branch { nibbles, prefix: prefix.clone(), own: own.clone(), bitmap, children };
            let mut changed = proof.clone();
            changed.nodes[place] = node;
            changed
        };
        all.extend([0, nibbles ^ 1, nibbles + 2, u16::MAX].map(|other| branch(other, own, *bitmap, children.clone())));
        all.extend((0..16).map(|bit| branch(*nibbles, own, bitmap ^ (1 << bit), children.clone())));
        for other in [
            ProofValue::Absent,
            ProofValue::Hash { hash: Digest::ZERO },
            ProofValue::Value { value: Bytes::from_static(&[1]) },
        ] {
            all.push(branch(*nibbles, &other, *bitmap, children.clone()));
        }
        for child in 0..children.len() {
            let mut fewer = children.clone();
            fewer.remove(child);
            all.push(branch(*nibbles, own, *bitmap, fewer));
            let mut other = children.clone();
            other[child] = Digest::ZERO;
            all.push(branch(*nibbles, own, *bitmap, other));
            let mut swapped = children.clone();
            swapped.swap(0, child);
            all.push(branch(*nibbles, own, *bitmap, swapped));
        }
        all.push(branch(*nibbles, own, *bitmap, vec![Digest::ZERO; 100]));
    }
    all
}

/// Every proof with a node dropped, doubled or swapped with another.
fn node_changes(proof: &Proof) -> Vec<Proof> {
    let mut all = Vec::new();
    for place in 0..proof.nodes.len() {
        let mut dropped = proof.clone();
        dropped.nodes.remove(place);
        let mut doubled = proof.clone();
        doubled.nodes.insert(place, proof.nodes[place].clone());
        all.extend([dropped, doubled]);
        for other in 0..place {
            let mut swapped = proof.clone();
            swapped.nodes.swap(place, other);
            all.push(swapped);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_key_is_proven_present_or_absent(model in entries(60), asked in prop::collection::vec(keys(), 20)) {
        let state = state_of(&model);
        let root = state.root();
        for key in model.keys().chain(&asked) {
            prop_assert_eq!(state.prove(key).verify(&root, key), Ok(model.get(key).cloned()));
        }
    }

    #[test]
    fn a_proof_of_one_key_says_nothing_false_of_another(model in entries(60), asked in prop::collection::vec((keys(), keys()), 30)) {
        let state = state_of(&model);
        let root = state.root();
        for (key, other) in asked.iter().chain(&model.keys().cloned().zip(model.keys().skip(1).cloned()).collect::<Vec<_>>()) {
            assert_harmless(&state.prove(key), &root, other, state.get(other));
        }
    }

    #[test]
    fn a_proof_says_nothing_about_another_root(model in entries(60), key in keys()) {
        let mut state = state_of(&model);
        let before = state.prove(&key);
        state.insert(b"\x77", b"one more").expect("within the limits");
        prop_assert!(before.verify(&state.root(), &key).is_err());
    }

    #[test]
    fn changed_fields_and_nodes_never_prove_a_falsehood(model in entries(60), key in keys()) {
        let state = state_of(&model);
        let (root, proof) = (state.root(), state.prove(&key));
        for changed in field_changes(&proof).into_iter().chain(node_changes(&proof)) {
            assert_harmless(&changed, &root, &key, state.get(&key));
        }
    }

    #[test]
    fn nodes_of_two_proofs_cannot_be_mixed_into_a_falsehood(
        model in entries(60), pair in (keys(), keys()), cuts in (any::<Index>(), any::<Index>()),
    ) {
        let state = state_of(&model);
        let (one, other) = (state.prove(&pair.0), state.prove(&pair.1));
        let mut mixed = one.nodes[..cuts.0.index(one.nodes.len() + 1)].to_vec();
        mixed.extend_from_slice(&other.nodes[cuts.1.index(other.nodes.len() + 1)..]);
        for key in [&pair.0, &pair.1] {
            assert_harmless(&Proof { nodes: mixed.clone() }, &state.root(), key, state.get(key));
        }
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let mut model: Model = spread_entries(300);
    model.insert(b"".to_vec(), b"own value of the root".to_vec());
    let state = state_of(&model);
    let root = state.root();
    let longest = model.keys().max_by_key(|key| state.prove(key).nodes.len()).expect("not empty");
    for key in [longest.as_slice(), b"", &[0x55; 20]] {
        let proof = state.prove(key);
        assert_eq!(proof.verify(&root, key), Ok(model.get(key).cloned()));
        assert!(bit_flips(&proof).all(|flipped| flipped.verify(&root, key).is_err()));
    }
}

#[test]
fn the_empty_state_proves_the_absence_of_every_key() {
    let proof = State::new().prove(b"key");
    assert_eq!(proof.verify(&State::new().root(), b"key"), Ok(None));
    assert_eq!(proof.verify(&state_of(&spread_entries(1)).root(), b"key"), Err(InvalidProof::Incomplete));
}

#[test]
fn an_own_value_without_its_value_proves_nothing() {
    let mut model = spread_entries(100);
    model.insert(Vec::new(), b"own".to_vec());
    let state = state_of(&model);
    let other = model.keys().next_back().expect("not empty");
    let mut proof = state.prove(other);
    proof.nodes.truncate(1);
    assert_eq!(proof.verify(&state.root(), b""), Err(InvalidProof::Incomplete));
}

#[test]
fn endless_and_oversized_proofs_are_refused() {
    let state = state_of(&spread_entries(1));
    let page = state.prove(b"").nodes.remove(0);
    let endless = Proof { nodes: vec![page; 100_000] };
    assert_eq!(endless.verify(&state.root(), b""), Err(InvalidProof::TooLong));
    let trailing = Proof { nodes: endless.nodes[..2].to_vec() };
    assert_eq!(trailing.verify(&state.root(), b""), Err(InvalidProof::TooLong));
}

#[test]
fn the_deepest_proof_is_within_the_bound() {
    let model: Model = (0..=128).map(|length| (vec![0xab; length], vec![7; 1100])).collect();
    let state = state_of(&model);
    let proof = state.prove(&[0xab; 128]);
    assert_eq!(proof.nodes.len(), 129);
    assert_eq!(proof.verify(&state.root(), &[0xab; 128]), Ok(Some(vec![7; 1100])));
}
