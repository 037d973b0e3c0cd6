//! The rogue peers of the network's own tests, against processes.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

pub use rogue::{BULK, CLIENT, MEMBER, Rogue, hello, write};

/// How a correct peer opens streams; what it says on them is another matter.
#[path = "../../../net/src/streams.rs"]
mod streams;

#[path = "../../../net/tests/support/rogue.rs"]
mod rogue;

use super::support::PATIENCE;
/// The chain of [`Rogue::open_for`], which is not used here: every network of processes has a chain of its own.
const CHAIN: quorate_crypto::Digest = quorate_crypto::Digest::from_bytes([0; 32]);
