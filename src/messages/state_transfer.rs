//! What replicas send each other when one of them fetches a whole state (TOCS 2002, section 6.2, in a modern form): nodes
//! of the state's two trees, each asked for by its place and hash. Unsigned: every node is checked against the hash that
//! a certified root leads to, so that it does not matter who sends it.

use bytes::Bytes;
use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::client::RootParts;
use crate::codec;
use crate::types::SeqNum;

/// The most nodes that one question names.
pub const FETCH_NODES_MAX: usize = 256;

/// The most bytes of packed entries in one node: the weight of the largest entry, and what a subtree may weigh to travel
/// as a whole.
pub const ENTRIES_BYTES_MAX: usize = 8 + 128 + (64 << 10);

/// Bytes after which an answer gets no further node. The last one may go beyond it.
pub const NODES_BYTES_MAX: usize = 512 << 10;

/// No key has more nibbles.
pub const PATH_NIBBLES_MAX: u16 = 256;

/// A branch has one child per nibble at most.
const CHILDREN_MAX: usize = 16;

/// One of the two trees that make a replicated state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tree {
    /// The client table.
    Clients,
    /// The application's state.
    Application,
}

/// The way from the root of a tree to a node: the nibbles that all keys below it start with, up to and including the one
/// that leads into it from its parent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodePath {
    /// Two nibbles to a byte, the first one high; an odd last nibble is followed by zero.
    #[serde(with = "codec::blob")]
    packed: Bytes,
    nibbles: u16,
}

/// Which node is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRef {
    /// In which tree.
    pub tree: Tree,
    /// At which place.
    pub path: NodePath,
    /// Its hash.
    pub hash: Digest,
    /// How much of what lies below it is wanted with it.
    pub extent: Extent,
}

/// How much of a tree is wanted at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extent {
    /// The node alone: much of what lies below it is there already.
    Node,
    /// All entries below it, if they are within [`ENTRIES_BYTES_MAX`], else the node alone.
    Subtree,
}

/// Send me these nodes of the state at a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchNodes {
    /// The checkpoint.
    pub seq: SeqNum,
    /// The sender's own count of its questions; the answer repeats it.
    pub number: u64,
    /// The nodes, from 1 to [`FETCH_NODES_MAX`].
    #[serde(with = "codec::list")]
    pub nodes: Vec<NodeRef>,
}

/// The answer to [`FetchNodes`]: the nodes that were asked for first, in the order of the question, as many as fit. None
/// at all means that the first one is not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// The checkpoint.
    pub seq: SeqNum,
    /// The number of the question.
    pub number: u64,
    /// The nodes.
    #[serde(with = "codec::list")]
    pub nodes: Vec<StateNode>,
}

/// The answer to `FetchState`: whether the state at a checkpoint is held, and what its root is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHead {
    /// The checkpoint that was asked for.
    pub seq: SeqNum,
    /// The parts of its root; `None` when that state is not held, or not any more.
    pub parts: Option<RootParts>,
    /// The newest checkpoint whose state is held, for people: nothing is decided by what one peer claims.
    pub newest: SeqNum,
}

/// A node of a tree, or a whole small subtree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateNode {
    /// All entries of the node, packed and in the order of their keys. Their shape, and so their hash, follows from them.
    Entries {
        /// The packed entries.
        #[serde(with = "codec::blob")]
        packed: Bytes,
    },
    /// A branch without what lies below it.
    Branch(BranchNode),
}

/// Everything that the hash of a branch covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchNode {
    /// How many nibbles the prefix has.
    pub nibbles: u16,
    /// The prefix, packed.
    #[serde(with = "codec::blob")]
    pub prefix: Bytes,
    /// The value of the key that ends here.
    pub own: OwnValue,
    /// Bit i stands for a child whose keys go on with nibble i.
    pub bitmap: u16,
    /// The hashes of the children, in the order of their nibbles.
    #[serde(with = "codec::list")]
    pub children: Vec<Digest>,
}

/// The value of the key that ends at a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnValue {
    /// None does.
    Absent,
    /// One does.
    Value {
        /// Its value.
        #[serde(with = "codec::blob")]
        value: Bytes,
    },
}

impl NodePath {
    /// The way to the root: no nibbles.
    #[must_use]
    pub fn root() -> Self {
        NodePath { packed: Bytes::new(), nibbles: 0 }
    }

    /// The way to the child at `nibble` of the branch with this packed prefix.
    #[must_use]
    pub fn below(prefix: &[u8], nibbles: u16, nibble: u8) -> Self {
        let mut packed = prefix.to_vec();
        match packed.last_mut() {
            Some(last) if !nibbles.is_multiple_of(2) => *last = (*last & 0xf0) | (nibble & 0x0f),
            Some(_) | None => packed.push(nibble << 4),
        }
        NodePath { packed: packed.into(), nibbles: nibbles.saturating_add(1) }
    }

    /// The nibbles, packed.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// How many nibbles there are.
    #[must_use]
    pub fn nibbles(&self) -> usize {
        usize::from(self.nibbles)
    }

    fn is_well_formed(&self) -> bool {
        self.nibbles <= PATH_NIBBLES_MAX && self.packed.len() == self.nibbles().div_ceil(2)
    }
}

impl BranchNode {
    /// The nibbles with which the keys of the children go on, in order.
    pub fn nibbles_of_children(&self) -> impl Iterator<Item = u8> + use<> {
        let bitmap = self.bitmap;
        (0..16).filter(move |nibble| bitmap & (1 << nibble) != 0)
    }
}

impl FetchNodes {
    /// The limit that a question exceeds, if it does.
    #[must_use]
    pub fn exceeded(&self) -> Option<&'static str> {
        if self.nodes.is_empty() || self.nodes.len() > FETCH_NODES_MAX {
            return Some("nodes of a question");
        }
        let is_malformed = self.nodes.iter().any(|node| !node.path.is_well_formed());
        is_malformed.then_some("nibbles of a path")
    }
}

impl Nodes {
    /// The limit that an answer exceeds, if it does.
    #[must_use]
    pub fn exceeded(&self) -> Option<&'static str> {
        if self.nodes.len() > FETCH_NODES_MAX {
            return Some("nodes of an answer");
        }
        let bytes: usize = self.nodes.iter().map(StateNode::weight).sum();
        if bytes > NODES_BYTES_MAX + ENTRIES_BYTES_MAX {
            return Some("bytes of an answer");
        }
        self.nodes.iter().find_map(StateNode::exceeded)
    }
}

impl StateNode {
    /// About as many bytes as it takes on the wire.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            StateNode::Entries { packed } => 12 + packed.len(),
            StateNode::Branch(branch) => {
                let own = match &branch.own {
                    OwnValue::Absent => 0,
                    OwnValue::Value { value } => 8 + value.len(),
                };
                28 + branch.prefix.len() + own + 32 * branch.children.len()
            }
        }
    }

    /// The limit that the node exceeds, if it does.
    #[must_use]
    pub fn exceeded(&self) -> Option<&'static str> {
        match self {
            StateNode::Entries { packed } => (packed.len() > ENTRIES_BYTES_MAX).then_some("entries of a node"),
            StateNode::Branch(branch) => {
                let fits = branch.children.len() <= CHILDREN_MAX
                    && branch.nibbles <= PATH_NIBBLES_MAX
                    && self.weight() <= 2 * ENTRIES_BYTES_MAX;
                (!fits).then_some("parts of a branch")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_ordered_so_that_a_node_comes_before_those_below_it_and_they_before_its_neighbour() {
        let one = NodePath::below(&[], 0, 1);
        let one_zero = NodePath::below(&[0x10], 1, 0);
        let one_zero_zero = NodePath::below(&[0x10], 2, 0);
        let one_five = NodePath::below(&[0x10], 1, 5);
        let two = NodePath::below(&[], 0, 2);
        let ordered = [NodePath::root(), one, one_zero, one_zero_zero, one_five, two];
        assert!(ordered.is_sorted());
        assert!(ordered.iter().all(NodePath::is_well_formed));
    }

    #[test]
    fn questions_and_answers_beyond_their_limits_are_named() {
        let node = NodeRef { tree: Tree::Clients, path: NodePath::root(), hash: Digest::ZERO, extent: Extent::Node };
        let question = |nodes| FetchNodes { seq: SeqNum(1), number: 1, nodes };
        assert_eq!(question(vec![node.clone(); FETCH_NODES_MAX]).exceeded(), None);
        assert!(question(Vec::new()).exceeded().is_some());
        assert!(question(vec![node.clone(); FETCH_NODES_MAX + 1]).exceeded().is_some());
        for (nibbles, bytes) in [(257, 129), (2, 2), (3, 1), (u16::MAX, 0)] {
            let path = NodePath { packed: vec![0; bytes].into(), nibbles };
            assert!(question(vec![NodeRef { path, ..node.clone() }]).exceeded().is_some(), "{nibbles}");
        }

        let answer = |nodes| Nodes { seq: SeqNum(1), number: 1, nodes };
        let entries = |bytes: usize| StateNode::Entries { packed: vec![0; bytes].into() };
        assert_eq!(answer(vec![entries(ENTRIES_BYTES_MAX); 8]).exceeded(), None);
        assert!(answer(vec![entries(ENTRIES_BYTES_MAX); 9]).exceeded().is_some());
        assert!(answer(vec![entries(ENTRIES_BYTES_MAX + 1)]).exceeded().is_some());
        assert!(answer(vec![entries(0); FETCH_NODES_MAX + 1]).exceeded().is_some());
        let branch = |children| {
            let (prefix, own) = (Bytes::new(), OwnValue::Absent);
            StateNode::Branch(BranchNode { nibbles: 0, prefix, own, bitmap: 0, children: vec![Digest::ZERO; children] })
        };
        assert_eq!(answer(vec![branch(16)]).exceeded(), None);
        assert!(answer(vec![branch(17)]).exceeded().is_some());
    }
}
