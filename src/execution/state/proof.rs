//! [`Proof`]: what a key's value is, or that it has none, for someone who holds only the root.

use bytes::Bytes;
use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use crate::codec;

use super::hash::{BranchHeader, empty_hash, page_hash, value_hash};
use super::limits::KEY_BYTES_MAX;
use super::nibbles::{common_nibbles, nibble};
use super::page::Entries;

/// No way from the root is longer: each branch on it has a longer prefix than the one before, and a page ends it.
const NODES_MAX: usize = 2 * KEY_BYTES_MAX + 2;

/// The nodes from the root to where a key is or would be. Who receives one has checked nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    #[serde(with = "codec::list")]
    pub(super) nodes: Vec<ProofNode>,
}

/// A node of the trie as a proof shows it: everything that its hash covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ProofNode {
    Page {
        #[serde(with = "codec::blob")]
        packed: Bytes,
    },
    Branch {
        nibbles: u16,
        #[serde(with = "codec::blob")]
        prefix: Bytes,
        own: ProofValue,
        bitmap: u16,
        #[serde(with = "codec::list")]
        children: Vec<Digest>,
    },
}

/// The own value of a branch as a proof shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ProofValue {
    /// No key ends at the branch.
    Absent,
    /// One does, and the proof is about another.
    Hash { hash: Digest },
    /// One does, and the proof is about it.
    Value {
        #[serde(with = "codec::blob")]
        value: Bytes,
    },
}

/// Why a proof proves nothing about a key and a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    /// A node is not the one that the root or its parent commits to.
    #[error("a node has another hash than the one committed to")]
    WrongHash,
    /// A node contradicts itself: lengths, order or counts that no state has.
    #[error("a node is malformed")]
    MalformedNode,
    /// A node's keys do not start with the path that leads to it.
    #[error("a node stands at a place where its keys do not belong")]
    MisplacedNode,
    /// The nodes end before the key is reached.
    #[error("the proof ends before it reaches the key")]
    Incomplete,
    /// There are nodes behind the one that decides.
    #[error("the proof goes on behind the node that decides")]
    TooLong,
}

/// What a node says about a key.
enum Step<'a> {
    /// This is the answer.
    Decided(Option<&'a [u8]>),
    /// The child with this hash knows; its keys share at least so many nibbles with the key.
    Descend { hash: Digest, path: usize },
}

impl Proof {
    /// The value of `key` in the state with this root, or that it has none.
    ///
    /// # Errors
    /// [`InvalidProof`] when the nodes do not prove either. What they claim is not to be believed then.
    pub fn verify(&self, root: &Digest, key: &[u8]) -> Result<Option<Vec<u8>>, InvalidProof> {
        if self.nodes.is_empty() {
            return if *root == empty_hash() { Ok(None) } else { Err(InvalidProof::Incomplete) };
        }
        if self.nodes.len() > NODES_MAX {
            return Err(InvalidProof::TooLong);
        }
        let (mut expected, mut path) = (*root, 0);
        let mut nodes = self.nodes.iter();
        while let Some(node) = nodes.next() {
            match node.step(&expected, key, path)? {
                Step::Descend { hash, path: longer } => (expected, path) = (hash, longer),
                Step::Decided(_) if nodes.next().is_some() => return Err(InvalidProof::TooLong),
                Step::Decided(value) => return Ok(value.map(<[u8]>::to_vec)),
            }
        }
        Err(InvalidProof::Incomplete)
    }
}

impl ProofNode {
    /// Checks that this is the node with the `expected` hash, reached over the first `path` nibbles of `key`; then says what
    /// it knows about `key`.
    fn step(&self, expected: &Digest, key: &[u8], path: usize) -> Result<Step<'_>, InvalidProof> {
        match self {
            ProofNode::Page { packed } => step_in_page(packed, expected, key, path),
            ProofNode::Branch { nibbles, prefix, own, bitmap, children } => {
                let header = BranchHeader { nibbles: *nibbles, prefix, own: own.hash(), bitmap: *bitmap };
                header.check(children.len())?;
                if header.hash_with(children.iter().copied()) != *expected {
                    return Err(InvalidProof::WrongHash);
                }
                let common = common_nibbles(prefix, key).min(header.prefix_end());
                if common < path {
                    return Err(InvalidProof::MisplacedNode);
                }
                if common < header.prefix_end() {
                    return Ok(Step::Decided(None));
                }
                let Some(next) = nibble(key, common) else { return own.step() };
                let Some(place) = header.child_place(next) else { return Ok(Step::Decided(None)) };
                let hash = *children.get(place).ok_or(InvalidProof::MalformedNode)?;
                Ok(Step::Descend { hash, path: common + 1 })
            }
        }
    }
}

fn step_in_page<'a>(packed: &'a [u8], expected: &Digest, key: &[u8], path: usize) -> Result<Step<'a>, InvalidProof> {
    if page_hash(packed) != *expected {
        return Err(InvalidProof::WrongHash);
    }
    let mut entries = Entries::of(packed);
    let (mut previous, mut value) = (None, None);
    for (found, its_value) in entries.by_ref() {
        if previous.is_some_and(|previous| previous >= found) {
            return Err(InvalidProof::MalformedNode);
        }
        if common_nibbles(found, key) < path {
            return Err(InvalidProof::MisplacedNode);
        }
        if found == key {
            value = Some(its_value);
        }
        previous = Some(found);
    }
    if previous.is_none() || !entries.is_at_end() {
        return Err(InvalidProof::MalformedNode);
    }
    Ok(Step::Decided(value))
}

impl BranchHeader<'_> {
    /// Whether a branch can look like this.
    pub(super) fn check(&self, children: usize) -> Result<(), InvalidProof> {
        let odd = !self.nibbles.is_multiple_of(2);
        let pads = odd && self.prefix.last().is_some_and(|last| last & 0x0f != 0);
        let parts = children + usize::from(self.own.is_some());
        let fits = self.prefix.len() == self.prefix_end().div_ceil(2)
            && self.prefix.len() <= KEY_BYTES_MAX
            && children == self.bitmap.count_ones() as usize;
        if fits && !pads && parts >= 2 && !(odd && self.own.is_some()) {
            Ok(())
        } else {
            Err(InvalidProof::MalformedNode)
        }
    }

    /// How many nibbles lie before those of the children.
    fn prefix_end(&self) -> usize {
        usize::from(self.nibbles)
    }

    /// Which of the children goes on with `nibble`.
    fn child_place(&self, nibble: u8) -> Option<usize> {
        let bit = 1 << nibble;
        (self.bitmap & bit != 0).then(|| (self.bitmap & (bit - 1)).count_ones() as usize)
    }
}

impl ProofValue {
    fn hash(&self) -> Option<Digest> {
        match self {
            ProofValue::Absent => None,
            ProofValue::Hash { hash } => Some(*hash),
            ProofValue::Value { value } => Some(value_hash(value)),
        }
    }

    /// What it says about the key that ends here.
    fn step(&self) -> Result<Step<'_>, InvalidProof> {
        match self {
            ProofValue::Absent => Ok(Step::Decided(None)),
            ProofValue::Hash { .. } => Err(InvalidProof::Incomplete),
            ProofValue::Value { value } => Ok(Step::Decided(Some(value))),
        }
    }
}
