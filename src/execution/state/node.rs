//! The trie's nodes, the references to them and look-up.

use std::sync::{Arc, OnceLock};

use quorate_crypto::Digest;

use super::nibbles::{Prefix, nibble};
use super::page::{Page, pack_entry};

/// A node. Whoever changes one that others hold, too, changes a copy.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A leaf.
    Page(Page),
    /// An inner node.
    Branch(Arc<Branch>),
}

/// A reference to a node and the hash of it, once that was asked for.
///
/// The hash stands here and not in the node, so that hashing a branch reads one array and not sixteen nodes.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) node: Node,
    pub(super) hash: OnceLock<Digest>,
}

/// The value of the key that ends at a branch.
#[derive(Clone, Debug)]
pub(super) struct OwnValue {
    pub(super) value: Arc<[u8]>,
    pub(super) hash: OnceLock<Digest>,
}

/// Entries that outweigh a page, below the longest nibble prefix that their keys have in common. At least two parts.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) prefix: Prefix,
    /// Sum over all entries below.
    pub(super) weight: u64,
    pub(super) own: Option<OwnValue>,
    /// Bit i stands for a child whose keys go on with nibble i.
    pub(super) bitmap: u16,
    /// The children, in the order of their nibbles.
    pub(super) children: Vec<Child>,
}

impl Node {
    pub(super) fn weight(&self) -> u64 {
        match self {
            Node::Page(page) => page.packed().len() as u64,
            Node::Branch(branch) => branch.weight,
        }
    }

    /// Appends all entries, packed and in order.
    pub(super) fn pack_into(&self, packed: &mut Vec<u8>) {
        match self {
            Node::Page(page) => packed.extend_from_slice(page.packed()),
            Node::Branch(branch) => {
                if let Some(own) = &branch.own {
                    pack_entry(packed, branch.prefix.packed(), &own.value);
                }
                branch.children.iter().for_each(|child| child.node.pack_into(packed));
            }
        }
    }
}

impl Default for Child {
    /// The empty page: the state without entries, or what stands in for a node while it is replaced.
    fn default() -> Self {
        Page::default().into()
    }
}

impl From<Page> for Child {
    fn from(page: Page) -> Self {
        Child { node: Node::Page(page), hash: OnceLock::new() }
    }
}

impl From<Branch> for Child {
    fn from(branch: Branch) -> Self {
        Child { node: Node::Branch(Arc::new(branch)), hash: OnceLock::new() }
    }
}

impl Child {
    /// Whether there is no entry below.
    pub(super) fn is_empty(&self) -> bool {
        self.node.weight() == 0
    }

    /// The node, if it is a branch.
    pub(super) fn branch(&self) -> Option<&Branch> {
        match &self.node {
            Node::Page(_) => None,
            Node::Branch(branch) => Some(branch),
        }
    }

    /// Whether two nodes are seen to be equal without a look at what they hold: they are one, or their hashes, computed
    /// before, are equal.
    pub(super) fn is_known_equal(&self, other: &Child) -> bool {
        let is_one = match (&self.node, &other.node) {
            (Node::Page(one), Node::Page(other)) => one.is_shared_with(other),
            (Node::Branch(one), Node::Branch(other)) => Arc::ptr_eq(one, other),
            (Node::Page(_), Node::Branch(_)) | (Node::Branch(_), Node::Page(_)) => false,
        };
        is_one || self.hash.get().is_some_and(|hash| other.hash.get() == Some(hash))
    }

    /// The value of `key`. The prefixes on the way are not compared: the full key in the page decides.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let mut node = &self.node;
        loop {
            match node {
                Node::Page(page) => return page.get(key),
                Node::Branch(branch) => match nibble(key, branch.prefix.count()) {
                    Some(next) => node = &branch.child(next)?.node,
                    None if branch.prefix.is_key(key) => return branch.own.as_ref().map(|own| &*own.value),
                    None => return None,
                },
            }
        }
    }
}

impl OwnValue {
    pub(super) fn new(value: &[u8]) -> Self {
        OwnValue { value: value.into(), hash: OnceLock::new() }
    }
}

impl Branch {
    /// A branch whose parts, which are still to be added, have this weight.
    pub(super) fn at(prefix: Prefix, weight: u64) -> Self {
        Branch { prefix, weight, own: None, bitmap: 0, children: Vec::new() }
    }

    pub(super) fn child(&self, nibble: u8) -> Option<&Child> {
        if self.has_child(nibble) { self.children.get(self.place(nibble)) } else { None }
    }

    pub(super) fn child_mut(&mut self, nibble: u8) -> Option<&mut Child> {
        let place = self.place(nibble);
        if self.has_child(nibble) { self.children.get_mut(place) } else { None }
    }

    /// The children with greater nibbles than this one.
    pub(super) fn children_after(&self, nibble: u8) -> &[Child] {
        let up_to = self.place(nibble) + usize::from(self.has_child(nibble));
        self.children.split_at(up_to).1
    }

    /// Adds the child for a nibble that has none; the weight is the caller's to keep.
    pub(super) fn add_child(&mut self, nibble: u8, child: Child) {
        assert!(!self.has_child(nibble), "a nibble has one child");
        let place = self.place(nibble);
        self.children.reserve_exact(1);
        self.children.insert(place, child);
        self.bitmap |= 1 << nibble;
    }

    /// Removes the child of a nibble once it is empty.
    pub(super) fn remove_empty_child(&mut self, nibble: u8) {
        let place = self.place(nibble);
        assert!(self.children.remove(place).is_empty(), "only empty children go");
        self.bitmap &= !(1 << nibble);
    }

    /// Sets the value of the key that ends here; the weight is the caller's to keep.
    pub(super) fn set_own(&mut self, value: Option<&[u8]>) {
        self.own = value.map(OwnValue::new);
    }

    /// How many children there are with smaller nibbles.
    fn place(&self, nibble: u8) -> usize {
        (self.bitmap & ((1 << nibble) - 1)).count_ones() as usize
    }

    fn has_child(&self, nibble: u8) -> bool {
        self.bitmap & (1 << nibble) != 0
    }
}
