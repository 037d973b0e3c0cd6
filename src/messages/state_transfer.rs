//! What execution asks of the other members when it needs a state and not a log. Unsigned: every content is checked
//! against a certified root, over the hashes on the way from it.

use bytes::Bytes;
use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::client::RootParts;
use crate::codec;
use crate::types::SeqNum;

/// Which trie of the replicated state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tree {
    /// The client table.
    Clients,
    /// The application's state.
    Application,
}

/// A node of a trie: where it hangs, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeRef {
    /// The trie.
    pub tree: Tree,
    /// How many nibbles of keys lead to it.
    pub nibbles: u16,
    /// Those nibbles, two to a byte, the first one high; an odd last one is followed by zero.
    #[serde(with = "codec::blob")]
    pub path: Bytes,
    /// Its hash.
    pub hash: Digest,
}

/// What the root of a checkpoint is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHead {
    /// The checkpoint that was asked for.
    pub seq: SeqNum,
    /// Its parts; `None` when its state is not held.
    pub parts: Option<RootParts>,
    /// The newest checkpoint whose state is held; the genesis when there is none.
    pub newest: SeqNum,
}

/// Send me these nodes of the state at a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchNodes {
    /// The checkpoint.
    pub seq: SeqNum,
    /// The nodes.
    #[serde(with = "codec::list")]
    pub nodes: Vec<NodeRef>,
}

/// Encoded nodes of the state at a checkpoint. Those that were asked for and are not here are not held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// The checkpoint.
    pub seq: SeqNum,
    /// The nodes.
    #[serde(with = "codec::list")]
    pub nodes: Vec<EncodedNode>,
}

/// A node as its hash covers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedNode(#[serde(with = "codec::blob")] pub Bytes);
