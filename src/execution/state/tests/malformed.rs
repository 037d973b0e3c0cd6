//! Nodes that no state has are refused even where the hashes fit: whoever chose the root may have chosen the nodes, too.

use bytes::Bytes;
use quorate_crypto::Digest;

use crate::execution::state::hash::{BranchHeader, page_hash, value_hash};
use crate::execution::state::page::pack_entry;
use crate::execution::state::proof::{InvalidProof, Proof, ProofNode, ProofValue};

fn page(keys: &[&[u8]]) -> ProofNode {
    let mut packed = Vec::new();
    for key in keys {
        pack_entry(&mut packed, key, b"value");
    }
    ProofNode::Page { packed: packed.into() }
}

/// A branch with these children, one for each bit of the bitmap unless it lies.
fn branch(nibbles: u16, prefix: &[u8], bitmap: u16, children: &[Digest]) -> ProofNode {
    let prefix = Bytes::copy_from_slice(prefix);
    ProofNode::Branch { nibbles, prefix, own: ProofValue::Absent, bitmap, children: children.to_vec() }
}

fn with_own(node: ProofNode) -> ProofNode {
    match node {
        ProofNode::Branch { nibbles, prefix, bitmap, children, .. } => {
            let own = ProofValue::Value { value: Bytes::from_static(b"own") };
            ProofNode::Branch { nibbles, prefix, own, bitmap, children }
        }
        ProofNode::Page { .. } => panic!("a page has no own value"),
    }
}

fn hash(node: &ProofNode) -> Digest {
    match node {
        ProofNode::Page { packed } => page_hash(packed),
        ProofNode::Branch { nibbles, prefix, own, bitmap, children } => {
            let own = match own {
                ProofValue::Absent => None,
                ProofValue::Hash { hash } => Some(*hash),
                ProofValue::Value { value } => Some(value_hash(value)),
            };
            let header = BranchHeader { nibbles: *nibbles, prefix, own, bitmap: *bitmap };
            header.hash_with(children.iter().copied())
        }
    }
}

/// What a verifier says about `key` when the root commits to the first of the nodes.
fn verify(nodes: Vec<ProofNode>, key: &[u8]) -> Result<Option<Vec<u8>>, InvalidProof> {
    let root = hash(&nodes[0]);
    Proof { nodes }.verify(&root, key)
}

const TWO: [Digest; 2] = [Digest::ZERO; 2];

#[test]
fn the_nodes_built_here_are_accepted_where_nothing_is_wrong() {
    assert_eq!(verify(vec![page(&[b"a", b"b"])], b"b"), Ok(Some(b"value".to_vec())));
    assert_eq!(verify(vec![branch(1, &[0x10], 0b11, &TWO)], &[0x12]), Ok(None));
    assert_eq!(verify(vec![with_own(branch(2, &[0x12], 0b11, &TWO))], &[0x12]), Ok(Some(b"own".to_vec())));
    let below = page(&[&[0x12]]);
    let above = branch(0, &[], 0b11, &[Digest::ZERO, hash(&below)]);
    assert_eq!(verify(vec![above, below], &[0x12]), Ok(Some(b"value".to_vec())));
}

#[test]
fn an_empty_page_is_no_proof_of_absence() {
    assert_eq!(verify(vec![page(&[])], b"key"), Err(InvalidProof::MalformedNode));
}

#[test]
fn a_page_with_keys_out_of_order_or_doubled_is_refused() {
    for keys in [[b"b", b"a"], [b"a", b"a"]] {
        assert_eq!(verify(vec![page(&keys.map(|key| &key[..]))], b"c"), Err(InvalidProof::MalformedNode));
    }
}

#[test]
fn a_page_with_bytes_that_are_no_entry_is_refused() {
    let ProofNode::Page { packed } = page(&[b"key"]) else { panic!("a page") };
    let longer = [&packed, &[0; 7][..]].concat();
    assert_eq!(verify(vec![ProofNode::Page { packed: longer.into() }], b"key"), Err(InvalidProof::MalformedNode));
}

#[test]
fn a_branch_that_contradicts_itself_is_refused() {
    let malformed = [
        ("too few bytes of prefix", branch(3, &[0x12], 0b11, &TWO)),
        ("too many bytes of prefix", branch(0, &[0x12], 0b11, &TWO)),
        ("padding that is not zero", branch(1, &[0x12], 0b11, &TWO)),
        ("more children than bits", branch(0, &[], 0b1, &TWO)),
        ("more bits than children", branch(0, &[], 0b111, &TWO)),
        ("one part", branch(0, &[], 0b1, &[Digest::ZERO])),
        ("no part", branch(0, &[], 0, &[])),
        ("an own value that is the only part", with_own(branch(0, &[], 0, &[]))),
        ("an own value after half a byte", with_own(branch(1, &[0x10], 0b11, &TWO))),
        ("a prefix longer than keys are", branch(258, &[0; 129], 0b11, &TWO)),
    ];
    for (what, node) in malformed {
        assert_eq!(verify(vec![node], &[0x12]), Err(InvalidProof::MalformedNode), "{what}");
    }
}

#[test]
fn a_node_whose_keys_do_not_belong_to_its_place_is_refused() {
    for below in [page(&[&[0x12]]), branch(2, &[0x12], 0b11, &TWO), branch(0, &[], 0b11, &TWO)] {
        let above = branch(0, &[], 0b101, &[hash(&below), Digest::ZERO]);
        assert_eq!(verify(vec![above, below], &[0x02]), Err(InvalidProof::MisplacedNode));
    }
}
