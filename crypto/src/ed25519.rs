//! Ed25519 with `verify_strict`: the only validity predicate of signatures in Quorate.

use ed25519_dalek::{Signer, VerifyingKey};

use crate::signature::{InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};

/// Ed25519 signatures (RFC 8032), verified with the strict predicate: canonical encodings, cofactorless equation, no key
/// and no nonce point of small order.
///
/// Batch verification decides otherwise for some signatures that an attacker can make, which would split correct
/// replicas. It is therefore not offered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ed25519;

impl SignatureScheme for Ed25519 {
    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature {
        Signature::from_bytes(key.signing().sign(message).to_bytes())
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| InvalidSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        key.verify_strict(message, &signature).map_err(|_| InvalidSignature)
    }

    fn check_key(&self, key: &PublicKey) -> Result<(), InvalidKey> {
        let point = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| InvalidKey::NotCanonical)?;
        // Decompression accepts non-canonical encodings of y; only the canonical one survives the round trip.
        if &point.to_edwards().compress().to_bytes() != key.as_bytes() {
            return Err(InvalidKey::NotCanonical);
        }
        if point.is_weak() { Err(InvalidKey::SmallOrder) } else { Ok(()) }
    }
}
