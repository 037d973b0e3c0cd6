//! SHA-256 digests. Every hash in Quorate starts with a domain tag and is unambiguous: what varies in length is
//! preceded by its length.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Serde for a newtype of 32 bytes: the bytes themselves, or hexadecimal digits in formats that people read.
macro_rules! impl_hex_serde {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 32]>::deserialize(deserializer).map($name)
                }
            }
        }
    };
}
pub(crate) use impl_hex_serde;

/// A SHA-256 digest (32 bytes). Shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl_hex_serde!(Digest);

/// Why a text is no digest or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} hexadecimal digits")]
pub struct InvalidHex {
    /// How many digits the value has.
    pub expected: usize,
}

impl Digest {
    /// All zeros: the digest of nothing that was ever hashed.
    pub const ZERO: Digest = Digest([0; 32]);

    /// Wraps 32 bytes that are a digest already.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        encode_hex(&self.0).chars().take(8).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode_hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl FromStr for Digest {
    type Err = InvalidHex;

    fn from_str(text: &str) -> Result<Self, InvalidHex> {
        decode_hex(text).map(Digest)
    }
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&byte| hex_digits(byte)).map(char::from).collect()
}

/// Reads exactly `N` bytes from `2 * N` hexadecimal digits.
///
/// # Errors
/// [`InvalidHex`] when the length differs or a character is no hexadecimal digit.
pub fn decode_hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidHex> {
    let mut bytes = [0; N];
    decode_hex_into(text.as_bytes(), &mut bytes)?;
    Ok(bytes)
}

/// The two digits of one byte, as ASCII.
pub(crate) fn hex_digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 0x0f].map(|half| if half < 10 { b'0' + half } else { b'a' + half - 10 })
}

/// As [`decode_hex`], but leaves no copy of the bytes anywhere but in `bytes`: a secret's reader wipes that.
pub(crate) fn decode_hex_into(digits: &[u8], bytes: &mut [u8]) -> Result<(), InvalidHex> {
    let invalid = InvalidHex { expected: 2 * bytes.len() };
    if digits.len() != invalid.expected {
        return Err(invalid);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = 0;
        for digit in pair {
            let half = char::from(*digit).to_digit(16).ok_or(invalid)?;
            *byte = *byte << 4 | half as u8;
        }
    }
    Ok(())
}

/// An unambiguous hash: a domain tag, then fields, each either of fixed width or preceded by its length.
#[derive(Clone)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Starts a hash in the domain `tag`. No two meanings share a tag.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Hasher(Sha256::new()).bytes(tag.as_bytes())
    }

    /// A field of variable length: its length as little-endian u64, then its bytes.
    #[must_use]
    pub fn bytes(self, field: &[u8]) -> Self {
        self.u64(field.len() as u64).raw(field)
    }

    /// A number: eight bytes, little-endian.
    #[must_use]
    pub fn u64(self, field: u64) -> Self {
        self.raw(&field.to_le_bytes())
    }

    /// One byte.
    #[must_use]
    pub fn u8(self, field: u8) -> Self {
        self.raw(&[field])
    }

    /// A digest: 32 bytes.
    #[must_use]
    pub fn digest(self, field: &Digest) -> Self {
        self.raw(&field.0)
    }

    /// The digest of all fields.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    fn raw(mut self, field: &[u8]) -> Self {
        self.0.update(field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_sha256_of_length_prefixed_fields() {
        let mut plain = Sha256::new();
        plain.update(3u64.to_le_bytes());
        plain.update(b"tag");
        plain.update(2u64.to_le_bytes());
        plain.update(b"ab");
        let expected: [u8; 32] = plain.finalize().into();
        assert_eq!(Hasher::new("tag").bytes(b"ab").finish().as_bytes(), &expected);
    }

    #[test]
    fn moving_a_byte_between_fields_changes_the_digest() {
        assert_ne!(
            Hasher::new("t").bytes(b"ab").bytes(b"c").finish(),
            Hasher::new("t").bytes(b"a").bytes(b"bc").finish()
        );
    }

    #[test]
    fn hex_round_trips_and_rejects_what_is_no_digest() {
        let digest = Hasher::new("t").finish();
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in ["", "00", &"g".repeat(64), &"+1".repeat(32), &"é".repeat(32)] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
