//! Homes: what a replica and a client find in their folders when they start.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`node`] | [`NodeHome`]: the home of a replica |
//! | [`client`] | [`ClientHome`]: the home of a client |
//! | [`error`] | [`HomeError`]: what is wrong with a home, and what to do |
//! | `files` | reading and writing their text files |
//!
//! Invariant: a home that is loaded is valid. Everything in it was checked against the genesis, and a field that this
//! release does not know is refused rather than ignored.

pub mod client;
pub mod error;
pub(crate) mod files;
pub mod node;

pub use client::{ClientHome, ClientSettings, ReplicaContact};
pub use error::HomeError;
pub use node::{Listen, NodeHome, NodeSettings};
