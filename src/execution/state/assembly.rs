//! [`Assembly`]: a state that is put together from received nodes and from what is there already.
//!
//! It starts with nothing but the root's hash. Each node that arrives is checked against the hash that led to it; what its
//! parent's hash covers but a base state holds already is shared and never asked for. A branch whose parts are all there
//! becomes a node of the state, and so on up to the root.
//!
//! Nodes are asked for in the order of their paths. That is depth first, so that the open branches, and what is wanted
//! below them, stay few, however large the state is.

#![deny(clippy::indexing_slicing, reason = "what is received has the length that its sender chose")]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use quorate_crypto::Digest;

use super::check::{InvalidNode, Place};
use super::hash::empty_hash;
use super::limits::{PAGE_WEIGHT_MAX, StateLimits, entry_weight};
use super::nibbles::{Prefix, nibble};
use super::node::{Branch, Child, Node, OwnValue};
use super::range::Range;
use super::trie::State;
use crate::messages::state_transfer::{self, BranchNode};
use crate::messages::{Extent, NodePath, StateNode};

/// A state under construction.
#[derive(Clone, Debug)]
pub struct Assembly {
    goal: Digest,
    limits: StateLimits,
    bases: Vec<Base>,
    /// Nodes that are to be asked for.
    wanted: BTreeMap<NodePath, Wanted>,
    /// Nodes that were handed out by [`Assembly::take_wanted`] and are neither here nor put back.
    asked: BTreeMap<NodePath, Wanted>,
    /// Branches of which parts are missing.
    open: BTreeMap<NodePath, OpenBranch>,
    root: Option<Child>,
    /// The sum over all entries so far.
    weight: u64,
}

/// A state, or what was put together of one, whose nodes are used where they fit.
#[derive(Clone, Debug)]
pub struct Base(Child);

/// What an assembly made of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supplied {
    /// It has its place now.
    Taken,
    /// It is right, but nothing of what lies below it is there: it is to be asked for again, as a whole.
    WantedWhole,
    /// Nobody waits for it: it came before, or was never asked for.
    Unneeded,
}

#[derive(Clone, Debug)]
struct Wanted {
    hash: Digest,
    extent: Extent,
    /// The place of the branch that it is a part of; none for the root.
    parent: Option<NodePath>,
}

#[derive(Clone, Debug)]
struct OpenBranch {
    hash: Digest,
    parent: Option<NodePath>,
    prefix: Prefix,
    own: Option<OwnValue>,
    bitmap: u16,
    /// In the order of the nibbles.
    parts: Vec<Option<Child>>,
}

impl From<&State> for Base {
    fn from(state: &State) -> Self {
        Base(state.root.clone())
    }
}

impl Assembly {
    /// Starts with the root's hash, and the states that parts are taken from.
    #[must_use]
    pub fn new(goal: Digest, limits: StateLimits, bases: Vec<Base>) -> Self {
        let (wanted, asked, open) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let limits = limits.clamped();
        let mut assembly = Assembly { goal, limits, bases, wanted, asked, open, root: None, weight: 0 };
        let path = NodePath::root();
        if goal == empty_hash() {
            assembly.root = Some(Child::default());
        } else if let Some(shared) = assembly.shared(&path, &goal) {
            assembly.weight = shared.node.weight();
            assembly.root = Some(shared);
        } else {
            assembly.want(path, goal, None);
        }
        assembly
    }

    /// The root's hash.
    #[must_use]
    pub fn goal(&self) -> Digest {
        self.goal
    }

    /// Whether everything is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.root.is_some()
    }

    /// How many nodes nobody was asked for yet.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted.len()
    }

    /// How many nodes are known to be missing: those asked for, too.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.wanted.len() + self.asked.len()
    }

    /// Up to `max` nodes to ask somebody for.
    pub fn take_wanted(&mut self, max: usize) -> Vec<(NodePath, Digest, Extent)> {
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some((path, wanted)) = self.wanted.pop_first()
        {
            taken.push((path.clone(), wanted.hash, wanted.extent));
            self.asked.insert(path, wanted);
        }
        taken
    }

    /// A node that was asked for does not come: it is to be asked for again.
    pub fn put_back(&mut self, path: &NodePath) {
        if let Some((path, wanted)) = self.asked.remove_entry(path) {
            self.wanted.insert(path, wanted);
        }
    }

    /// Takes the node at a place, if it is the right one.
    ///
    /// # Errors
    /// [`InvalidNode`] when it is not. If that is the sender's fault, the node is still to be asked for; otherwise the
    /// goal is the root of no state, and the assembly never completes.
    pub fn supply(&mut self, path: &NodePath, node: &StateNode) -> Result<Supplied, InvalidNode> {
        let Some(wanted) = self.asked.get(path).or_else(|| self.wanted.get(path)) else {
            return Ok(Supplied::Unneeded);
        };
        let place = Place { path, hash: &wanted.hash, limits: &self.limits };
        match node {
            StateNode::Entries { packed } => {
                let child = place.check_entries(packed)?;
                let wanted = self.remove(path);
                self.add_weight(child.node.weight())?;
                self.complete(path, wanted.parent, child)?;
            }
            StateNode::Branch(branch) => {
                place.check_branch(branch)?;
                let wanted = self.remove(path);
                if wanted.extent == Extent::Node && !self.shares_part_of(branch) {
                    self.wanted.insert(path.clone(), Wanted { extent: Extent::Subtree, ..wanted });
                    return Ok(Supplied::WantedWhole);
                }
                self.open_branch(path, wanted, branch)?;
            }
        }
        Ok(Supplied::Taken)
    }

    /// The state, once everything is there.
    #[must_use]
    pub fn into_state(self) -> Option<State> {
        let root = self.root?;
        let len = Range::of(&root, &[], None).count() as u64;
        Some(State::from_parts(self.limits, root, len))
    }

    /// What is there of a state that is not wanted any more, as a base for another one; and the bases it had itself.
    #[must_use]
    pub fn into_bases(mut self) -> Vec<Base> {
        // Parts come behind the branch they belong to.
        while let Some((path, open)) = self.open.pop_last() {
            let parent = open.parent.clone();
            let Some(child) = open.into_remnant() else { continue };
            match parent.and_then(|parent| self.open.get_mut(&parent)) {
                Some(above) => above.put(last_nibble(&path), child),
                None => self.root = Some(child),
            }
        }
        self.bases.extend(self.root.map(Base));
        self.bases
    }

    fn remove(&mut self, path: &NodePath) -> Wanted {
        let wanted = self.asked.remove(path).or_else(|| self.wanted.remove(path));
        wanted.expect("the caller has just found it")
    }

    fn want(&mut self, path: NodePath, hash: Digest, parent: Option<NodePath>) {
        let has_branch = |base: &Base| base.0.at(&path).is_some_and(|child| matches!(child.node, Node::Branch(_)));
        // Where a base has a branch, much of what lies below may be the same.
        let extent = if self.bases.iter().any(has_branch) { Extent::Node } else { Extent::Subtree };
        self.wanted.insert(path, Wanted { hash, extent, parent });
    }

    fn shared(&self, path: &NodePath, hash: &Digest) -> Option<Child> {
        let mut found = self.bases.iter().filter_map(|base| base.0.at(path));
        found.find(|child| child.hash() == *hash).cloned()
    }

    fn shares_part_of(&self, branch: &BranchNode) -> bool {
        let mut children = branch.nibbles_of_children().zip(&branch.children);
        children
            .any(|(nibble, hash)| self.shared(&NodePath::below(&branch.prefix, branch.nibbles, nibble), hash).is_some())
    }

    fn open_branch(&mut self, path: &NodePath, wanted: Wanted, branch: &BranchNode) -> Result<(), InvalidNode> {
        let own = match &branch.own {
            state_transfer::OwnValue::Absent => None,
            state_transfer::OwnValue::Value { value } => {
                self.add_weight(entry_weight(&branch.prefix, value) as u64)?;
                Some(OwnValue::new(value))
            }
        };
        let mut open = OpenBranch {
            hash: wanted.hash,
            parent: wanted.parent,
            prefix: Prefix::of(&branch.prefix, usize::from(branch.nibbles)),
            own,
            bitmap: branch.bitmap,
            parts: Vec::with_capacity(branch.children.len()),
        };
        for (nibble, hash) in branch.nibbles_of_children().zip(&branch.children) {
            let below = NodePath::below(&branch.prefix, branch.nibbles, nibble);
            let shared = self.shared(&below, hash);
            match &shared {
                Some(shared) => self.add_weight(shared.node.weight())?,
                None => self.want(below, *hash, Some(path.clone())),
            }
            open.parts.push(shared);
        }
        if open.is_complete() {
            let parent = open.parent.clone();
            return self.complete(path, parent, open.into_child()?);
        }
        self.open.insert(path.clone(), open);
        Ok(())
    }

    /// Puts a complete node where it belongs, and closes the branches above that are complete with it.
    fn complete(&mut self, path: &NodePath, parent: Option<NodePath>, child: Child) -> Result<(), InvalidNode> {
        let (mut path, mut parent, mut child) = (path.clone(), parent, child);
        while let Some(above) = parent {
            let open = self.open.get_mut(&above).expect("a branch stays open while a part is missing");
            open.put(last_nibble(&path), child);
            if !open.is_complete() {
                return Ok(());
            }
            let open = self.open.remove(&above).expect("found above");
            parent = open.parent.clone();
            child = open.into_child()?;
            path = above;
        }
        self.root = Some(child);
        Ok(())
    }

    fn add_weight(&mut self, weight: u64) -> Result<(), InvalidNode> {
        self.weight = self.weight.saturating_add(weight);
        Ok(self.limits.check_weight(self.weight)?)
    }
}

impl OpenBranch {
    fn is_complete(&self) -> bool {
        self.parts.iter().all(Option::is_some)
    }

    fn put(&mut self, nibble: u8, child: Child) {
        let place = (self.bitmap & ((1 << nibble) - 1)).count_ones() as usize;
        *self.parts.get_mut(place).expect("a part is missing where its nibble says") = Some(child);
    }

    /// The branch, all parts of which are there.
    fn into_child(self) -> Result<Child, InvalidNode> {
        let hash = self.hash;
        let branch = self.into_branch();
        if branch.weight <= PAGE_WEIGHT_MAX as u64 {
            return Err(InvalidNode::NotCanonical);
        }
        Ok(Child { node: Node::Branch(Arc::new(branch)), hash: OnceLock::from(hash) })
    }

    /// A branch of those parts that are there. Its hash equals none, so that it is never taken for the whole.
    fn into_remnant(mut self) -> Option<Child> {
        let nibbles = (0..16).filter(|nibble| self.bitmap & (1 << nibble) != 0);
        let there = nibbles.zip(&self.parts).filter(|(_, part)| part.is_some());
        self.bitmap = there.fold(0, |bitmap, (nibble, _)| bitmap | 1 << nibble);
        if self.bitmap == 0 {
            return None;
        }
        let branch = self.into_branch();
        Some(Child { node: Node::Branch(Arc::new(branch)), hash: OnceLock::from(Digest::ZERO) })
    }

    fn into_branch(self) -> Branch {
        let children: Vec<_> = self.parts.into_iter().flatten().collect();
        let own = self.own.as_ref().map_or(0, |own| entry_weight(self.prefix.packed(), &own.value) as u64);
        let weight = children.iter().map(|child| child.node.weight()).sum::<u64>() + own;
        Branch { prefix: self.prefix, weight, own: self.own, bitmap: self.bitmap, children }
    }
}

/// The nibble that leads into the node at the end of a path that is not the root's.
fn last_nibble(path: &NodePath) -> u8 {
    path.nibbles().checked_sub(1).and_then(|last| nibble(path.packed(), last)).unwrap_or_default()
}
