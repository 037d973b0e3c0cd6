//! The predicate that decides about signatures, at its edges.
//!
//! Agreement needs more of it than unforgeability: all replicas must decide alike about signatures that only a dishonest
//! signer can make. Those are made here from the curve's arithmetic. Most of them satisfy the verification equation once
//! it is multiplied by the cofactor 8, which is what a batch verifier checks, and must be refused all the same.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use proptest::prelude::*;
use quorate_crypto::digest::decode_hex;
use quorate_crypto::{Ed25519, InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};
use sha2::{Digest as _, Sha512};

/// RFC 8032, section 7.1: seed, public key, message, signature. TEST 1, 2, 3 and SHA(abc).
const RFC_8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

/// The order of the base point, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A signature over its own message, with the parts that the verification equation is about.
struct Crafted {
    key: EdwardsPoint,
    nonce: EdwardsPoint,
    s: Scalar,
    message: Vec<u8>,
}

impl Crafted {
    /// `s = r + k·a`, as an honest signer computes it, but with points to which torsion may have been added.
    fn new(secret: Secret, key: EdwardsPoint, nonce: EdwardsPoint, message: Vec<u8>) -> Self {
        let s = secret.r + challenge(&nonce, &key, &message) * secret.a;
        Crafted { key, nonce, s, message }
    }

    fn verify(&self) -> Result<(), InvalidSignature> {
        let signature = [self.nonce.compress().to_bytes(), self.s.to_bytes()].concat();
        let signature = Signature::from_bytes(signature.try_into().expect("twice 32 bytes"));
        Ed25519.verify(&PublicKey::from_bytes(self.key.compress().to_bytes()), &self.message, &signature)
    }

    /// `s·B = R + k·A`: the equation of a single verification.
    fn satisfies_the_equation(&self) -> bool {
        self.residue().is_identity()
    }

    /// `8·s·B = 8·R + 8·k·A`: the equation of a batch verification.
    fn satisfies_the_equation_times_eight(&self) -> bool {
        self.residue().mul_by_cofactor().is_identity()
    }

    fn residue(&self) -> EdwardsPoint {
        B * self.s - self.nonce - self.key * challenge(&self.nonce, &self.key, &self.message)
    }
}

/// The discrete logarithms of the key and of the nonce point, without their torsion.
#[derive(Clone, Copy)]
struct Secret {
    a: Scalar,
    r: Scalar,
}

fn secret() -> Secret {
    Secret { a: Scalar::from(0x51ce_77e1_u64), r: Scalar::from(0x0b5c_u64) }
}

fn challenge(nonce: &EdwardsPoint, key: &EdwardsPoint, message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(nonce.compress().0).chain_update(key.compress().0).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// The seven points of order 2, 4 and 8.
fn torsion() -> impl Iterator<Item = EdwardsPoint> {
    EIGHT_TORSION.into_iter().filter(|point| !point.is_identity())
}

fn messages() -> impl Iterator<Item = Vec<u8>> {
    (0u8..64).map(|byte| vec![byte])
}

fn check(encoding: [u8; 32]) -> Result<(), InvalidKey> {
    Ed25519.check_key(&PublicKey::from_bytes(encoding))
}

/// The encoding whose 255-bit field element is `2^255 - below`, with the sign bit as told.
fn encoding(below: u8, sign: bool) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0u8.wrapping_sub(below);
    bytes[31] = if sign { 0xff } else { 0x7f };
    bytes
}

#[test]
fn signs_and_verifies_the_vectors_of_rfc_8032() {
    for [seed, public, message, signature] in RFC_8032 {
        let key = KeyPair::from_seed(&decode_hex(seed).unwrap());
        let message: Vec<u8> =
            (0..message.len() / 2).map(|i| decode_hex::<1>(&message[2 * i..][..2]).unwrap()[0]).collect();
        let signature = Signature::from_bytes(decode_hex(signature).unwrap());
        assert_eq!(key.public().to_string(), public);
        assert_eq!(Ed25519.sign(&key, &message), signature);
        assert_eq!(Ed25519.verify(&key.public(), &message, &signature), Ok(()));
        assert_eq!(Ed25519.check_key(&key.public()), Ok(()));
    }
}

#[test]
fn any_flipped_bit_of_signature_key_or_message_is_rejected() {
    let key = KeyPair::from_seed(&[7; 32]);
    let message = b"a vote".to_vec();
    let signed = [Ed25519.sign(&key, &message).as_bytes(), key.public().as_bytes().as_slice(), &message].concat();
    for bit in 0..signed.len() * 8 {
        let mut flipped = signed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let (signature, rest) = flipped.split_first_chunk().unwrap();
        let (public, message) = rest.split_first_chunk().unwrap();
        let verdict = Ed25519.verify(&PublicKey::from_bytes(*public), message, &Signature::from_bytes(*signature));
        assert_eq!(verdict, Err(InvalidSignature), "bit {bit}");
    }
}

#[test]
fn check_key_refuses_every_point_of_small_order() {
    for point in EIGHT_TORSION {
        assert_eq!(check(point.compress().to_bytes()), Err(InvalidKey::SmallOrder));
    }
}

#[test]
fn check_key_refuses_every_encoding_that_is_not_canonical() {
    // The field's prime is 2^255 - 19: the 19 largest 255-bit numbers encode a field element a second time.
    for below in 1..=19 {
        for sign in [false, true] {
            assert_eq!(check(encoding(below, sign)), Err(InvalidKey::NotCanonical), "2^255 - {below}");
        }
    }
    // At y = 1 and y = -1, x is zero, and zero has no negative.
    let mut one = [0; 32];
    one[0] = 1;
    one[31] = 0x80;
    assert_eq!(check(one), Err(InvalidKey::NotCanonical));
    assert_eq!(check(encoding(20, true)), Err(InvalidKey::NotCanonical));
}

#[test]
fn check_key_refuses_what_is_no_point() {
    let no_points =
        (0u8..=255).map(|byte| [byte; 32]).filter(|bytes| CompressedEdwardsY(*bytes).decompress().is_none());
    let refused: Vec<_> = no_points.map(check).collect();
    assert!(refused.len() > 64);
    assert!(refused.iter().all(|verdict| *verdict == Err(InvalidKey::NotCanonical)));
}

#[test]
fn a_crafted_signature_without_torsion_is_an_honest_one() {
    for message in messages() {
        let secret = secret();
        assert_eq!(Crafted::new(secret, B * secret.a, B * secret.r, message).verify(), Ok(()));
    }
}

#[test]
fn rejects_a_nonce_point_of_small_order_even_where_the_equation_holds() {
    let secret = Secret { r: Scalar::ZERO, ..secret() };
    for nonce in EIGHT_TORSION {
        for message in messages() {
            let crafted = Crafted::new(secret, B * secret.a, nonce, message);
            assert_eq!(crafted.satisfies_the_equation(), nonce.is_identity());
            assert_eq!(crafted.verify(), Err(InvalidSignature));
        }
    }
}

#[test]
fn rejects_a_key_of_small_order_even_where_the_equation_holds() {
    let secret = Secret { a: Scalar::ZERO, ..secret() };
    let mut held = 0;
    for key in EIGHT_TORSION {
        for message in messages() {
            let crafted = Crafted::new(secret, key, B * secret.r, message);
            held += usize::from(crafted.satisfies_the_equation());
            assert_eq!(crafted.verify(), Err(InvalidSignature));
        }
    }
    assert!(held > messages().count(), "the equation held for {held} signatures");
}

#[test]
fn single_verification_is_the_only_predicate_where_a_batch_would_decide_otherwise() {
    let secret = secret();
    let mut split = 0;
    let nothing = || std::iter::once(EdwardsPoint::identity());
    for key_torsion in torsion().chain(nothing()) {
        for nonce_torsion in torsion().chain(nothing()) {
            for message in messages() {
                let crafted = Crafted::new(secret, B * secret.a + key_torsion, B * secret.r + nonce_torsion, message);
                assert!(crafted.satisfies_the_equation_times_eight());
                assert_eq!(crafted.verify().is_ok(), crafted.satisfies_the_equation());
                split += usize::from(crafted.verify().is_err());
            }
        }
    }
    // Seven of eight signatures with torsion: with two predicates in use, each of them would split the replicas.
    assert!(split > 2000, "{split} signatures on which the predicates differ");
}

#[test]
fn rejects_s_that_is_not_reduced() {
    let key = KeyPair::from_seed(&[9; 32]);
    let signature = *Ed25519.sign(&key, b"message").as_bytes();
    let mut larger = signature;
    let mut carry = 0u16;
    for (byte, order) in larger[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    assert_eq!(Ed25519.verify(&key.public(), b"message", &Signature::from_bytes(signature)), Ok(()));
    assert_eq!(Ed25519.verify(&key.public(), b"message", &Signature::from_bytes(larger)), Err(InvalidSignature));
}

proptest! {
    #[test]
    fn arbitrary_bytes_neither_verify_nor_panic(key: [u8; 32], low: [u8; 32], high: [u8; 32], message: Vec<u8>) {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&low);
        signature[32..].copy_from_slice(&high);
        let signature = Signature::from_bytes(signature);
        prop_assert_eq!(Ed25519.verify(&PublicKey::from_bytes(key), &message, &signature), Err(InvalidSignature));
        let _ = check(key);
    }

    #[test]
    fn a_signature_is_valid_for_its_key_and_message_only(seed: [u8; 32], other: [u8; 32], message: Vec<u8>, extra: u8) {
        prop_assume!(seed != other);
        let (key, stranger) = (KeyPair::from_seed(&seed), KeyPair::from_seed(&other));
        let signature = Ed25519.sign(&key, &message);
        let longer = [message.as_slice(), &[extra]].concat();
        prop_assert_eq!(Ed25519.verify(&key.public(), &message, &signature), Ok(()));
        prop_assert_eq!(Ed25519.verify(&key.public(), &longer, &signature), Err(InvalidSignature));
        prop_assert_eq!(Ed25519.verify(&stranger.public(), &message, &signature), Err(InvalidSignature));
    }
}
