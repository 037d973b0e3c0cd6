//! Keys, signatures and digests, as others write them.

use quorate_crypto::{Digest, Ed25519, KeyPair, PublicKey, Signature, SignatureScheme};

/// A key (32 bytes), a signature (64) and what it is said to be under: a verdict, always the same.
pub fn signature(bytes: &[u8]) {
    let Some((key, rest)) = bytes.split_first_chunk::<32>() else { return };
    let Some((signature, message)) = rest.split_first_chunk::<64>() else { return };
    let (key, signature) = (PublicKey::from_bytes(*key), Signature::from_bytes(*signature));
    let is_valid = Ed25519.verify(&key, message, &signature).is_ok();
    assert_eq!(Ed25519.verify(&key, message, &signature).is_ok(), is_valid);
    let may_be_listed = Ed25519.check_key(&key).is_ok();
    // Strictness: no key of small order, and no second encoding of any, verifies anything.
    assert!(!is_valid || may_be_listed, "a key that may not be listed verifies");
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text.to_ascii_lowercase());
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text.to_ascii_lowercase());
    }
}

/// A valid signature, and one with a key of small order.
pub(super) fn signature_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let key = KeyPair::from_seed(&[1; 32]);
    let signature = Ed25519.sign(&key, b"message");
    let valid = [&key.public().as_bytes()[..], signature.as_bytes(), b"message"].concat();
    let mut small = valid.clone();
    small.splice(..32, [&[1][..], &[0; 31]].concat());
    vec![("valid", valid), ("small-order", small)]
}

/// A digest in both cases.
pub(super) fn hex_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let digits = "00ff".repeat(16);
    vec![("lower", digits.clone().into_bytes()), ("upper", digits.to_ascii_uppercase().into_bytes())]
}
