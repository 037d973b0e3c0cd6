//! Nodes found by their place: what a replica serves to one that fetches the state, and what that one has already.

use bytes::Bytes;
use quorate_crypto::Digest;

use super::nibbles::{common_nibbles, nibble};
use super::node::{Branch, Child, Node};
use super::trie::State;
use crate::messages::state_transfer::{BranchNode, ENTRIES_BYTES_MAX, OwnValue};
use crate::messages::{Extent, NodePath, StateNode};

impl State {
    /// The node with this hash at this place; `None` when another one, or none, stands there. A subtree beyond
    /// [`ENTRIES_BYTES_MAX`] is given as its topmost node.
    #[must_use]
    pub fn node(&self, path: &NodePath, hash: &Digest, extent: Extent) -> Option<StateNode> {
        let child = self.root.at(path).filter(|child| child.hash() == *hash)?;
        Some(child.to_node(extent))
    }
}

impl Child {
    /// The topmost node at or below the end of `path`; a page above it, which may hold entries from elsewhere, too.
    pub(super) fn at(&self, path: &NodePath) -> Option<&Child> {
        let mut child = self;
        while let Node::Branch(branch) = &child.node {
            let count = branch.prefix.count();
            let common = common_nibbles(branch.prefix.packed(), path.packed()).min(count).min(path.nibbles());
            if common == path.nibbles() {
                break;
            }
            // The paths part, or the branch lies on the way.
            child = branch.child(nibble(path.packed(), count).filter(|_| common == count)?)?;
        }
        Some(child)
    }

    fn to_node(&self, extent: Extent) -> StateNode {
        match &self.node {
            Node::Page(page) => StateNode::Entries { packed: Bytes::copy_from_slice(page.packed()) },
            Node::Branch(branch) if extent == Extent::Subtree && branch.weight <= ENTRIES_BYTES_MAX as u64 => {
                let mut packed = Vec::with_capacity(ENTRIES_BYTES_MAX.min(branch.weight as usize));
                self.node.pack_into(&mut packed);
                StateNode::Entries { packed: packed.into() }
            }
            Node::Branch(branch) => StateNode::Branch(branch.to_node()),
        }
    }
}

impl Branch {
    fn to_node(&self) -> BranchNode {
        let value = |own: &super::node::OwnValue| OwnValue::Value { value: Bytes::copy_from_slice(&own.value) };
        BranchNode {
            nibbles: self.prefix.nibbles(),
            prefix: Bytes::copy_from_slice(self.prefix.packed()),
            own: self.own.as_ref().map_or(OwnValue::Absent, value),
            bitmap: self.bitmap,
            children: self.children.iter().map(Child::hash).collect(),
        }
    }
}
