//! The replicated state: an ordered map from keys to values with a root that commits to all of it.
//!
//! A [`State`] is a persistent 16-ary radix trie over the nibbles of the keys. A clone shares everything with the
//! original and costs one reference count; a change copies the nodes on one path, and only those that somebody else still
//! holds. Hashes are cached beside the reference to each node, so that [`State::root`] costs what changed since the last
//! root, not what the state weighs. An overlay is a clone that is either kept or dropped.
//!
//! # Shape
//!
//! Equal contents have equal shapes, whatever the history, so that replicas agree on the root. For a set S of entries let
//! weight(S) be the sum of 8 + |key| + |value|.
//!
//! 1. S is a *page* if it has one entry or weight(S) ≤ [`PAGE_WEIGHT_MAX`]. The state without entries is an empty page.
//! 2. Otherwise S is a *branch* at the longest common nibble prefix of its keys: the own value of the key that ends there, if
//!    one does, and one child per next nibble, each built by the same rule.
//!
//! Hence a branch outweighs the limit and has at least two parts, and a node's distance from the root is at most the
//! number of nibbles of the longest key.
//!
//! # Hashes
//!
//! All are SHA-256 over a domain tag and length-prefixed fields ([`quorate_crypto::Hasher`]).
//!
//! | Hash of | Tag | Fields |
//! | --- | --- | --- |
//! | the state without entries | `quorate/state/empty/v1` | none |
//! | a page | `quorate/state/page/v1` | count; the packed entries |
//! | an own value | `quorate/state/value/v1` | the value |
//! | a branch | `quorate/state/branch/v1` | nibbles of the prefix; the prefix; hash of the own value, or nothing; bitmap of the children; their hashes |
//!
//! A packed entry is the key's length and the value's length, four bytes each and little-endian, then key and value, so that a
//! page weighs what its packed form is long. Packed pages are what a [`Proof`] and a durable snapshot are made of, too. A
//! prefix is packed two nibbles to a byte, the first one high; an odd last nibble is followed by zero.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `trie` | [`State`]: what a state machine calls |
//! | `view` | [`StateView`]: the same, read-only |
//! | `limits` | [`StateLimits`], [`StateError`] |
//! | `node` | nodes, their references with cached hashes, look-up |
//! | `edit` | how one changed entry changes the shape |
//! | `build` | the shape of a sorted sequence of entries; [`StateBuilder`] |
//! | `hash` | the table above |
//! | `range` | iteration in key order over entries and over pages |
//! | `changes` | [`Changes`]: the pages in which two states differ |
//! | `proof` | [`Proof`] and how it is verified |
//! | `prove` | how it is made |
//! | `address` | nodes found by their place, to be served to others |
//! | `check` | whether a received node is the one that was asked for |
//! | `assembly` | [`Assembly`]: a state put together from received nodes |
//! | `page`, `nibbles` | packed entries; keys as nibbles |

mod address;
mod assembly;
mod build;
mod changes;
mod check;
mod edit;
mod hash;
mod limits;
mod nibbles;
mod node;
mod page;
mod proof;
mod prove;
mod range;
#[cfg(test)]
mod tests;
mod trie;
mod view;

pub use assembly::{Assembly, Base, Supplied};
pub use build::StateBuilder;
pub use changes::{Changes, PageChange};
pub use check::InvalidNode;
pub use limits::{
    KEY_BYTES_MAX, PAGE_WEIGHT_MAX, STATE_WEIGHT_MAX, StateError, StateLimits, VALUE_BYTES_MAX, entry_weight,
};
pub use proof::{InvalidProof, Proof};
pub use range::{Pages, Range};
pub use trie::State;
pub use view::StateView;
