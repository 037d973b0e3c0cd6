//! The hashes of the trie's nodes, computed the same way from a node in memory and from one in a proof.

use quorate_crypto::{Digest, Hasher};

use super::node::{Branch, Child, Node, OwnValue};
use super::page::Entries;

const EMPTY_TAG: &str = "quorate/state/empty/v1";
const PAGE_TAG: &str = "quorate/state/page/v1";
const VALUE_TAG: &str = "quorate/state/value/v1";
const BRANCH_TAG: &str = "quorate/state/branch/v1";

/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

/// A branch has one child per nibble at most.
const CHILDREN_MAX: usize = 16;

/// The root of the state without entries.
pub(super) fn empty_hash() -> Digest {
    Hasher::new(EMPTY_TAG).finish()
}

pub(super) fn page_hash(packed: &[u8]) -> Digest {
    Hasher::new(PAGE_TAG).u64(Entries::of(packed).count() as u64).bytes(packed).finish()
}

pub(super) fn value_hash(value: &[u8]) -> Digest {
    Hasher::new(VALUE_TAG).bytes(value).finish()
}

/// What the hash of a branch covers, beside the hashes of its children.
pub(super) struct BranchHeader<'a> {
    pub(super) nibbles: u16,
    pub(super) prefix: &'a [u8],
    pub(super) own: Option<Digest>,
    pub(super) bitmap: u16,
}

impl BranchHeader<'_> {
    /// The hash of the branch with these children, in the order of their nibbles.
    pub(super) fn hash_with(&self, children: impl Iterator<Item = Digest>) -> Digest {
        let mut hashes = [0; CHILDREN_MAX * DIGEST_BYTES];
        let mut bytes = 0;
        for (slot, child) in hashes.chunks_exact_mut(DIGEST_BYTES).zip(children) {
            slot.copy_from_slice(child.as_bytes());
            bytes += DIGEST_BYTES;
        }
        Hasher::new(BRANCH_TAG)
            .u64(u64::from(self.nibbles))
            .bytes(self.prefix)
            .bytes(self.own.as_ref().map_or(&[], |own| own.as_bytes().as_slice()))
            .u64(u64::from(self.bitmap))
            .bytes(hashes.split_at(bytes).0)
            .finish()
    }
}

impl Child {
    /// The hash of the node, computed at most once.
    pub(super) fn hash(&self) -> Digest {
        *self.hash.get_or_init(|| match &self.node {
            Node::Page(page) if page.packed().is_empty() => empty_hash(),
            Node::Page(page) => page_hash(page.packed()),
            Node::Branch(branch) => branch.hash(),
        })
    }
}

impl OwnValue {
    /// The hash of the value, computed at most once.
    pub(super) fn hash(&self) -> Digest {
        *self.hash.get_or_init(|| value_hash(&self.value))
    }
}

impl Branch {
    fn hash(&self) -> Digest {
        self.header().hash_with(self.children.iter().map(Child::hash))
    }

    fn header(&self) -> BranchHeader<'_> {
        BranchHeader {
            nibbles: self.prefix.nibbles(),
            prefix: self.prefix.packed(),
            own: self.own.as_ref().map(OwnValue::hash),
            bitmap: self.bitmap,
        }
    }
}
