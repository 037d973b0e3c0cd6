//! How a proof is made: the nodes on the way to a key.

use bytes::Bytes;

use super::nibbles::nibble;
use super::node::{Branch, Child, Node};
use super::proof::{Proof, ProofNode, ProofValue};

impl Proof {
    /// The nodes from `root` to where `key` is, or where it would be.
    pub(super) fn of(root: &Child, key: &[u8]) -> Self {
        let mut nodes = Vec::new();
        let mut child = (!root.is_empty()).then_some(root);
        while let Some(Child { node, .. }) = child {
            match node {
                Node::Page(page) => {
                    nodes.push(ProofNode::Page { packed: Bytes::copy_from_slice(page.packed()) });
                    child = None;
                }
                Node::Branch(branch) => {
                    nodes.push(ProofNode::of_branch(branch, key));
                    let leads_on = branch.prefix.common_with(key, 0) == branch.prefix.count();
                    let next = nibble(key, branch.prefix.count()).filter(|_| leads_on);
                    child = next.and_then(|next| branch.child(next));
                }
            }
        }
        Proof { nodes }
    }
}

impl ProofNode {
    fn of_branch(branch: &Branch, key: &[u8]) -> Self {
        let own = match &branch.own {
            None => ProofValue::Absent,
            Some(own) if branch.prefix.is_key(key) => ProofValue::Value { value: Bytes::copy_from_slice(&own.value) },
            Some(own) => ProofValue::Hash { hash: own.hash() },
        };
        ProofNode::Branch {
            nibbles: branch.prefix.nibbles(),
            prefix: Bytes::copy_from_slice(branch.prefix.packed()),
            own,
            bitmap: branch.bitmap,
            children: branch.children.iter().map(Child::hash).collect(),
        }
    }
}
