//! Whether a node that was received is the one that a hash stands for, and one that a state within the limits has.

#![deny(clippy::indexing_slicing, reason = "what is received has the length that its sender chose")]

use quorate_crypto::Digest;

use super::build::shape_packed;
use super::hash::{BranchHeader, value_hash};
use super::limits::{StateError, StateLimits};
use super::nibbles::common_nibbles;
use super::node::Child;
use super::page::Entries;
use crate::messages::NodePath;
use crate::messages::state_transfer::{BranchNode, OwnValue};
use crate::mutants::Mutant;

/// Why a node is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNode {
    /// It is not the node that was asked for.
    #[error("a node has another hash than the one it was asked by")]
    WrongHash,
    /// It contradicts itself: lengths, order or counts that no state has.
    #[error("a node is malformed")]
    Malformed,
    /// Its keys do not start with the path that leads to it.
    #[error("a node stands at a place where its keys do not belong")]
    Misplaced,
    /// The state would exceed what the genesis allows.
    #[error("a node is beyond the limits: {0}")]
    Limit(#[from] StateError),
    /// Its parts weigh so little that they would be a page.
    #[error("a branch should have been a page")]
    NotCanonical,
}

impl InvalidNode {
    /// Whether the sender is to blame. Otherwise the node has the hash that Q members certified.
    #[must_use]
    pub fn is_senders_fault(self) -> bool {
        match self {
            InvalidNode::WrongHash => true,
            InvalidNode::Malformed | InvalidNode::Misplaced | InvalidNode::Limit(_) | InvalidNode::NotCanonical => {
                false
            }
        }
    }
}

/// A place in a tree, and what must stand there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) path: &'a NodePath,
    pub(super) hash: &'a Digest,
    pub(super) limits: &'a StateLimits,
}

impl Place<'_> {
    /// The node, or the whole subtree, of these packed entries. Its shape is built here, so that it is the right one.
    pub(super) fn check_entries(&self, packed: &[u8]) -> Result<Child, InvalidNode> {
        // What has no entries, or is no sequence of them in order, is the node of no hash.
        if packed.is_empty() || !is_ascending(packed) {
            return Err(InvalidNode::WrongHash);
        }
        let child = shape_packed(packed);
        if child.hash() != *self.hash && !Mutant::ChunkHashUnchecked.lives() {
            return Err(InvalidNode::WrongHash);
        }
        for (key, value) in Entries::of(packed) {
            self.limits.check_entry(key, value)?;
            if common_nibbles(key, self.path.packed()) < self.path.nibbles() {
                return Err(InvalidNode::Misplaced);
            }
        }
        Ok(child)
    }

    /// Checks all that can be said of a branch without its children.
    pub(super) fn check_branch(&self, branch: &BranchNode) -> Result<(), InvalidNode> {
        let value = match &branch.own {
            OwnValue::Absent => None,
            OwnValue::Value { value } => Some(value),
        };
        let header = BranchHeader {
            nibbles: branch.nibbles,
            prefix: &branch.prefix,
            own: value.map(|value| value_hash(value)),
            bitmap: branch.bitmap,
        };
        // The hash covers as many children as the bitmap says; more or fewer are the sender's invention.
        let has_all = branch.children.len() == branch.bitmap.count_ones() as usize;
        if !has_all || header.hash_with(branch.children.iter().copied()) != *self.hash {
            return Err(InvalidNode::WrongHash);
        }
        header.check(branch.children.len()).map_err(|_| InvalidNode::Malformed)?;
        let nibbles = usize::from(branch.nibbles);
        if common_nibbles(&branch.prefix, self.path.packed()).min(nibbles) < self.path.nibbles() {
            return Err(InvalidNode::Misplaced);
        }
        // The key that ends here, and the shortest one below.
        if let Some(value) = value {
            self.limits.check_entry(&branch.prefix, value)?;
        }
        if nibbles / 2 >= self.limits.key_bytes_max {
            return Err(InvalidNode::Malformed);
        }
        Ok(())
    }
}

fn is_ascending(packed: &[u8]) -> bool {
    let mut entries = Entries::of(packed);
    let mut previous = None;
    for (key, _) in entries.by_ref() {
        if previous.is_some_and(|previous| previous >= key) {
            return false;
        }
        previous = Some(key);
    }
    entries.is_at_end()
}
