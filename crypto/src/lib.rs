//! Digests, keys, signatures and Merkle proofs for Quorate. This crate knows no protocol.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`digest`] | SHA-256 digests and the domain-separated [`Hasher`] |
//! | [`signature`] | keys, signatures and the trait [`SignatureScheme`] |
//! | [`ed25519`] | the production scheme |
//! | [`key_file`] | secret keys on disk |
//! | [`merkle`] | RFC 9162 Merkle trees with inclusion proofs |

pub mod digest;
pub mod ed25519;
pub mod key_file;
pub mod merkle;
pub mod signature;

pub use digest::{Digest, Hasher};
pub use ed25519::Ed25519;
pub use signature::{InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};
