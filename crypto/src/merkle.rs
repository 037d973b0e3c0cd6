//! RFC 9162 Merkle trees with inclusion proofs (section 2.1).
//!
//! Leaves and inner nodes are hashed with different prefixes, so that no node can pass for a leaf. A level of odd length
//! hands its last node up unchanged instead of pairing it with itself, so that no two lists of leaves share a root.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: [u8; 1] = [0x01];

/// The root over `leaves`; of no leaves, SHA-256 of the empty string.
///
/// An entry is the digest of what the leaf stands for. It is the leaf's *input*: the tree hashes it once more.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let mut level = hash_leaves(leaves);
    while level.len() > 1 {
        level = parents(&level);
    }
    top(&level)
}

/// A tree that keeps its inner nodes, so that a proof costs no hashing.
#[derive(Debug, Clone)]
pub struct MerkleTree {
    /// The leaf hashes first, the root's level last. Each level has half as many nodes as the one before, rounded up.
    levels: Vec<Vec<Digest>>,
}

impl MerkleTree {
    /// Builds the tree over `leaves`, which are leaf inputs as in [`root`].
    #[must_use]
    pub fn new(leaves: Vec<Digest>) -> Self {
        Self::over(hash_leaves(&leaves))
    }

    /// The root; the same as [`root`] of the same leaves.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels.last().map_or_else(|| top(&[]), |level| top(level))
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// The proof that leaf `index` is in the tree, or `None` when there is no such leaf.
    #[must_use]
    pub fn prove(&self, index: u64) -> Option<InclusionProof> {
        let size = self.size();
        if index >= size {
            return None;
        }
        let mut position = usize::try_from(index).ok()?;
        let mut path = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            // A node without a sibling goes up unchanged: nothing to tell the verifier.
            path.extend(level.get(position ^ 1));
            position >>= 1;
        }
        Some(InclusionProof { index, size, path })
    }

    fn over(leaf_hashes: Vec<Digest>) -> Self {
        let mut levels = vec![leaf_hashes];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            levels.push(parents(level));
        }
        MerkleTree { levels }
    }
}

/// The nodes that lead from one leaf to the root of a tree of known size.
///
/// The fields are claims of whoever made the proof until [`InclusionProof::verify`] accepts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// Which leaf, counted from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The siblings on the way up, the leaf's first. At most 64.
    #[serde(deserialize_with = "deserialize_path")]
    pub path: Vec<Digest>,
}

/// The longest path: that of a tree with as many leaves as a number can say.
const PATH_MAX: usize = 64;

/// Reads node by node: the length that a stranger claims reserves no memory.
fn deserialize_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Digest>, D::Error> {
    struct Path;

    impl<'de> Visitor<'de> for Path {
        type Value = Vec<Digest>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {PATH_MAX} nodes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut nodes: A) -> Result<Vec<Digest>, A::Error> {
            let mut path = Vec::new();
            while let Some(node) = nodes.next_element()? {
                if path.len() == PATH_MAX {
                    return Err(A::Error::invalid_length(PATH_MAX + 1, &self));
                }
                path.push(node);
            }
            Ok(path)
        }
    }

    deserializer.deserialize_seq(Path)
}

/// Why an inclusion proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProof {
    /// The tree has no such leaf.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    NoSuchLeaf {
        /// The claimed leaf.
        index: u64,
        /// The claimed number of leaves.
        size: u64,
    },
    /// The path has more or fewer nodes than the way from this leaf to the root.
    #[error("the path has {found} nodes, which is not the way from the leaf to the root")]
    WrongPathLength {
        /// How many nodes the path has.
        found: usize,
    },
    /// The path leads to another root.
    #[error("the path leads to another root")]
    WrongRoot,
}

impl InclusionProof {
    /// Decides whether `leaf` (a leaf input, as in [`root`](fn@root)) stands at `index` in the tree of `size` leaves
    /// whose root is `root` (RFC 9162, section 2.1.3.2).
    ///
    /// The index is proven only under a size that is trusted: a root does not say how many leaves it has, and the same
    /// path can lead to it under another pair of index and size. Whoever needs the position compares `size` with a
    /// number that is authentic.
    ///
    /// # Errors
    /// [`InvalidProof`] says what is wrong. No proof, whatever it claims, costs more than 64 hashes.
    pub fn verify(&self, root: &Digest, leaf: &Digest) -> Result<(), InvalidProof> {
        let &InclusionProof { index, size, .. } = self;
        if index >= size {
            return Err(InvalidProof::NoSuchLeaf { index, size });
        }
        let wrong_length = InvalidProof::WrongPathLength { found: self.path.len() };
        // The RFC's `fn` and `sn`: the node under way and the last node, as positions in the current level.
        let (mut position, mut last) = (index, size - 1);
        let mut hash = leaf_hash(leaf.as_bytes());
        for sibling in &self.path {
            if last == 0 {
                return Err(wrong_length);
            }
            if position == last {
                // The last node of a level has no right sibling. It rises, unchanged, to where it is a right child.
                let risen = position.trailing_zeros();
                (position, last) = (position >> risen, last >> risen);
            }
            hash = if position & 1 == 1 { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) };
            (position, last) = (position >> 1, last >> 1);
        }
        if last != 0 {
            return Err(wrong_length);
        }
        if hash == *root { Ok(()) } else { Err(InvalidProof::WrongRoot) }
    }
}

fn hash_leaves(leaves: &[Digest]) -> Vec<Digest> {
    leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect()
}

fn parents(level: &[Digest]) -> Vec<Digest> {
    level
        .chunks(2)
        .map(|children| match children {
            [left, right] => node_hash(left, right),
            alone => top(alone),
        })
        .collect()
}

/// The root, given the level that has at most one node.
fn top(level: &[Digest]) -> Digest {
    level.first().copied().unwrap_or_else(|| sha256(&[]))
}

fn leaf_hash(input: &[u8]) -> Digest {
    sha256(&[&LEAF_PREFIX, input])
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&NODE_PREFIX, left.as_bytes(), right.as_bytes()])
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    Digest::from_bytes(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 9162, section 2.1.1, word by word.
    fn naive_root(leaf_hashes: &[Digest]) -> Digest {
        match leaf_hashes {
            [] => sha256(&[]),
            [single] => *single,
            several => {
                let (left, right) = several.split_at(split(several.len()));
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    /// RFC 9162, section 2.1.3.1, word by word.
    fn naive_path(index: usize, leaf_hashes: &[Digest]) -> Vec<Digest> {
        if leaf_hashes.len() <= 1 {
            return Vec::new();
        }
        let (left, right) = leaf_hashes.split_at(split(leaf_hashes.len()));
        let (mut path, sibling) = if index < left.len() {
            (naive_path(index, left), naive_root(right))
        } else {
            (naive_path(index - left.len(), right), naive_root(left))
        };
        path.push(sibling);
        path
    }

    /// The largest power of two below `len`.
    fn split(len: usize) -> usize {
        len.next_power_of_two() / 2
    }

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|number| sha256(&[&number.to_le_bytes()])).collect()
    }

    fn tree(count: u64) -> (Vec<Digest>, MerkleTree) {
        (leaves(count), MerkleTree::new(leaves(count)))
    }

    #[test]
    fn has_the_roots_of_the_certificate_transparency_test_vectors() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in roots.iter().enumerate() {
            let leaf_hashes = inputs.iter().take(size).map(|input| leaf_hash(input)).collect();
            assert_eq!(MerkleTree::over(leaf_hashes).root().to_string(), *expected, "{size} leaves");
        }
    }

    #[test]
    fn appending_a_duplicate_of_the_last_leaf_changes_the_root() {
        for count in 1..40 {
            let (mut leaves, tree) = tree(count);
            leaves.extend(leaves.last().copied());
            assert_ne!(root(&leaves), tree.root(), "{count} leaves");
        }
    }

    #[test]
    fn an_inner_node_does_not_pass_for_a_leaf() {
        let (_, tree) = tree(4);
        let nodes = tree.levels[1].clone();
        assert_ne!(root(&nodes), tree.root());
    }

    #[test]
    fn proves_nothing_outside_the_tree() {
        for count in [0, 1, 2, 5, 8] {
            let (_, tree) = tree(count);
            assert_eq!(tree.prove(count), None);
            assert_eq!(tree.prove(u64::MAX), None);
        }
    }

    #[test]
    fn rejects_an_index_outside_the_claimed_size() {
        let (leaves, tree) = tree(5);
        let honest = tree.prove(4).unwrap();
        for (index, size) in [(5, 5), (0, 0), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
            let proof = InclusionProof { index, size, ..honest.clone() };
            assert_eq!(proof.verify(&tree.root(), &leaves[4]), Err(InvalidProof::NoSuchLeaf { index, size }));
        }
    }

    #[test]
    fn rejects_a_path_of_the_wrong_length_whatever_the_size() {
        let leaf = leaves(1)[0];
        for size in [1, 2, 3, 1 << 32, (1 << 63) + 1, u64::MAX] {
            for index in [0, size / 2, size - 1] {
                for length in [65, 1000] {
                    let proof = InclusionProof { index, size, path: vec![Digest::ZERO; length] };
                    let wrong = Err(InvalidProof::WrongPathLength { found: length });
                    assert_eq!(proof.verify(&leaf, &leaf), wrong, "leaf {index} of {size}");
                }
            }
        }
        let proof = InclusionProof { index: u64::MAX - 1, size: u64::MAX, path: Vec::new() };
        assert_eq!(proof.verify(&leaf, &leaf), Err(InvalidProof::WrongPathLength { found: 0 }));
    }

    proptest! {
        #[test]
        fn root_and_proofs_are_those_of_the_naive_restatement(count in 0u64..200) {
            let (leaves, tree) = tree(count);
            let hashes = hash_leaves(&leaves);
            prop_assert_eq!(tree.size(), count);
            prop_assert_eq!(tree.root(), naive_root(&hashes));
            prop_assert_eq!(root(&leaves), naive_root(&hashes));
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = tree.prove(index as u64).unwrap();
                prop_assert_eq!(&proof.path, &naive_path(index, &hashes));
                prop_assert_eq!(proof.verify(&tree.root(), leaf), Ok(()));
            }
        }

        #[test]
        fn a_proof_of_one_leaf_proves_no_other((count, index, other) in two_leaves()) {
            let (leaves, tree) = tree(count);
            let proof = tree.prove(index).unwrap();
            let moved = InclusionProof { index: other, ..proof.clone() };
            prop_assert!(proof.verify(&tree.root(), &leaves[other as usize]).is_err());
            prop_assert!(moved.verify(&tree.root(), &leaves[index as usize]).is_err());
        }

        #[test]
        fn any_changed_node_missing_node_or_added_node_is_rejected((count, index, at) in two_leaves(), bit in 0usize..256) {
            let (leaves, tree) = tree(count);
            let verify = |proof: &InclusionProof| proof.verify(&tree.root(), &leaves[index as usize]);
            let honest = tree.prove(index).unwrap();
            let at = at as usize % honest.path.len();

            let mut changed = honest.clone();
            let mut bytes = *changed.path[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed.path[at] = Digest::from_bytes(bytes);
            prop_assert_eq!(verify(&changed), Err(InvalidProof::WrongRoot));

            let mut shorter = honest.clone();
            shorter.path.remove(at);
            prop_assert_eq!(verify(&shorter), Err(InvalidProof::WrongPathLength { found: honest.path.len() - 1 }));

            let mut longer = honest.clone();
            longer.path.insert(at, Digest::ZERO);
            prop_assert_eq!(verify(&longer), Err(InvalidProof::WrongPathLength { found: honest.path.len() + 1 }));
        }

        #[test]
        fn arbitrary_claims_are_rejected_without_panic(index: u64, size: u64, length in 0usize..80) {
            let proof = InclusionProof { index, size, path: vec![Digest::ZERO; length] };
            prop_assert!(proof.verify(&Digest::ZERO, &Digest::ZERO).is_err());
        }
    }

    /// A size and two different leaves of the tree.
    fn two_leaves() -> impl Strategy<Value = (u64, u64, u64)> {
        (2u64..100)
            .prop_flat_map(|count| (Just(count), 0..count, 1..count))
            .prop_map(|(count, index, distance)| (count, index, (index + distance) % count))
    }
}
