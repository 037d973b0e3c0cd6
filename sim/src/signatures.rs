//! Signatures that cost next to nothing, for worlds in which nobody looks for collisions.

use quorate_crypto::{InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};

/// A hash keyed with the public key. Whoever knows a public key could forge; the simulator's Byzantine replicas sign
/// with [`KeyPair`]s only, and own no others than theirs.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyedHash;

impl SignatureScheme for KeyedHash {
    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature {
        keyed_hash(&key.public(), message)
    }

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        if keyed_hash(key, message) == *signature { Ok(()) } else { Err(InvalidSignature) }
    }

    fn check_key(&self, _key: &PublicKey) -> Result<(), InvalidKey> {
        Ok(())
    }
}

fn keyed_hash(key: &PublicKey, message: &[u8]) -> Signature {
    let mut state = fingerprint(fingerprint(0, key.as_bytes()), message);
    let mut bytes = [0; 64];
    for word in bytes.chunks_exact_mut(8) {
        state = mix(state, 0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&state.to_le_bytes());
    }
    Signature::from_bytes(bytes)
}

/// A fast hash of `bytes` that continues from `state`: for simulated signatures and the trace.
#[must_use]
pub fn fingerprint(state: u64, bytes: &[u8]) -> u64 {
    let mut state = mix(state ^ bytes.len() as u64, 0xa076_1d64_78bd_642f);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = mix(state ^ u64::from_le_bytes(word), 0xe703_7ed1_a0b4_28db);
    }
    state
}

fn mix(state: u64, multiplier: u64) -> u64 {
    let wide = u128::from(state ^ 0x8ebc_6af0_9c88_c6e3) * u128::from(multiplier);
    // The halves of the product, folded.
    (wide as u64) ^ ((wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_key_and_one_message() {
        let keys = [1, 2].map(|seed| KeyPair::from_seed(&[seed; 32]));
        let signature = KeyedHash.sign(&keys[0], b"message");
        assert!(KeyedHash.verify(&keys[0].public(), b"message", &signature).is_ok());
        assert!(KeyedHash.verify(&keys[1].public(), b"message", &signature).is_err());
        assert!(KeyedHash.verify(&keys[0].public(), b"massage", &signature).is_err());
        assert!(KeyedHash.verify(&keys[0].public(), b"message\0", &signature).is_err());
    }
}
