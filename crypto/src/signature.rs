//! Keys, signatures, and the trait behind which the scheme stands.

use std::fmt;
use std::str::FromStr;

use crate::digest::{InvalidHex, decode_hex, encode_hex, impl_hex_serde};
use serde::{Deserialize, Serialize};

/// A public key (32 bytes). Shown as 64 lower-case hexadecimal digits. It names its owner everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl_hex_serde!(PublicKey);

impl PublicKey {
    /// Wraps 32 bytes. Whether they are a usable key is decided by [`SignatureScheme::check_key`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        PublicKey(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(encode_hex(&self.0).get(..8).unwrap_or_default())
    }
}

impl FromStr for PublicKey {
    type Err = InvalidHex;

    fn from_str(text: &str) -> Result<Self, InvalidHex> {
        decode_hex(text).map(PublicKey)
    }
}

/// A signature (64 bytes). It is never part of an identity: the same message can have many valid signatures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Wraps 64 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Signature(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(encode_hex(&self.0).get(..8).unwrap_or_default())
    }
}

// serde knows arrays up to 32 only: two halves, which is 64 bytes without a length.
impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (low, high) = self.0.split_at(32);
        let halves: ([u8; 32], [u8; 32]) =
            (low.try_into().map_err(serde::ser::Error::custom)?, high.try_into().map_err(serde::ser::Error::custom)?);
        halves.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (low, high) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&low);
        bytes[32..].copy_from_slice(&high);
        Ok(Signature(bytes))
    }
}

/// A secret key with its public key. The secret is wiped from memory when dropped and never shown.
#[derive(Clone)]
pub struct KeyPair {
    public: PublicKey,
    /// Wipes itself when dropped.
    signing: ed25519_dalek::SigningKey,
}

impl KeyPair {
    /// The key pair of a 32-byte Ed25519 seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = PublicKey(signing.verifying_key().to_bytes());
        KeyPair { public, signing }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The secret seed, for the key file and the transport's identity only.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.signing.as_bytes()
    }

    pub(crate) fn signing(&self) -> &ed25519_dalek::SigningKey {
        &self.signing
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({:?})", self.public)
    }
}

/// A signature does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct InvalidSignature;

/// A public key that must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The bytes are no canonical encoding of a curve point.
    #[error("not a canonical Ed25519 public key")]
    NotCanonical,
    /// The point has small order: signatures under it prove nothing.
    #[error("the key has small order")]
    SmallOrder,
}

/// How messages are signed and verified: one predicate, used everywhere, handed to whoever needs it as a value.
pub trait SignatureScheme: Send + Sync + fmt::Debug {
    /// Signs `message`. Deterministic.
    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature;

    /// Decides whether `signature` is valid.
    ///
    /// # Errors
    /// [`InvalidSignature`] when it is not.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature>;

    /// Decides whether a key may stand in a genesis.
    ///
    /// # Errors
    /// [`InvalidKey`] when it is not canonical or of small order.
    fn check_key(&self, key: &PublicKey) -> Result<(), InvalidKey>;
}
