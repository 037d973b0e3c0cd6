//! The only user of bincode: how values become bytes, and hostile bytes become values or errors.
//!
//! Canonical: fixed-width little-endian integers, lengths as u64, no optional layout, no trailing bytes, so that one
//! value has one encoding. Bounded: a length is never believed before that many bytes are there; sequences and byte
//! strings of received types use [`list`] and [`blob`], which allocate as the input is read. Versioned: the first byte
//! of everything that leaves the process is [`FORMAT_VERSION`].

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of every encoding in this release.
pub const FORMAT_VERSION: u8 = 1;

/// The most bytes that [`decode`] looks at: above every frame and record that is written.
pub const DECODE_BYTES_MAX: usize = 16 << 20;

/// Why bytes are no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Nothing there.
    #[error("no bytes")]
    Empty,
    /// Another format version.
    #[error("format version {0}, expected {FORMAT_VERSION}")]
    Version(u8),
    /// More bytes than any value has.
    #[error("{0} bytes are more than the {DECODE_BYTES_MAX} that are decoded at once")]
    TooLong(usize),
    /// The bytes do not describe a value of the type.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes are left over behind the value.
    #[error("{0} bytes too many")]
    Trailing(usize),
}

fn layout() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<DECODE_BYTES_MAX>()
}

/// The canonical bytes of a value, without a version: what is hashed and signed.
#[must_use]
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, layout()).expect("our types serialise, and writing to memory does not fail")
}

/// The version byte, then the canonical bytes: what is sent and stored.
#[must_use]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    canonical(&(FORMAT_VERSION, value))
}

/// The value that [`encode`] made.
///
/// # Errors
/// [`DecodeError`] for anything that [`encode`] does not write for a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT_VERSION, rest)) => decode_canonical(rest),
        Some((&other, _)) => Err(DecodeError::Version(other)),
    }
}

/// The value that [`canonical`] made.
///
/// # Errors
/// As [`decode`].
pub fn decode_canonical<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > DECODE_BYTES_MAX {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    let (value, read): (T, usize) = bincode::serde::borrow_decode_from_slice(bytes, layout())
        .map_err(|error| DecodeError::Malformed(error.to_string()))?;
    if read == bytes.len() { Ok(value) } else { Err(DecodeError::Trailing(bytes.len() - read)) }
}

/// Sequences from outside: `#[serde(with = "codec::list")]`. No room is made for elements that have not been read.
pub mod list {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    /// Writes the length and the elements.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        list.serialize(serializer)
    }

    /// Reads element by element.
    ///
    /// # Errors
    /// Those of the deserialiser.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// Byte strings from outside: `#[serde(with = "codec::blob")]`. The length is checked against the input first.
pub mod blob {
    use std::fmt;

    use bytes::Bytes;
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    /// Writes the length and the bytes.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// Borrows the bytes from the input, then copies them once.
    ///
    /// # Errors
    /// Those of the deserialiser.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Blob;

        impl Visitor<'_> for Blob {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes::copy_from_slice(bytes))
            }
        }

        deserializer.deserialize_bytes(Blob)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        number: u32,
        #[serde(with = "list")]
        list: Vec<u16>,
        #[serde(with = "blob")]
        blob: Bytes,
    }

    fn sample() -> Sample {
        Sample { number: 7, list: vec![1, 2], blob: Bytes::from_static(b"ab") }
    }

    #[test]
    fn layout_is_fixed_width_little_endian_behind_a_version() {
        let bytes = encode(&sample());
        let expected =
            [&[1u8, 7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']]
                .concat();
        assert_eq!(bytes, expected);
        assert_eq!(decode(&bytes), Ok(sample()));
    }

    #[test]
    fn rejects_every_truncation_trailing_bytes_and_other_versions() {
        let bytes = encode(&sample());
        for end in 0..bytes.len() {
            assert!(decode::<Sample>(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(decode::<Sample>(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing(1)));
        assert_eq!(decode::<Sample>(&[&[2], &bytes[1..]].concat()), Err(DecodeError::Version(2)));
        assert!(matches!(decode::<Sample>(&vec![FORMAT_VERSION; DECODE_BYTES_MAX + 2]), Err(DecodeError::TooLong(_))));
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let mut bytes = encode(&sample());
        for length in [u64::MAX, 1 << 40, 1 << 30, 1 << 20, 27] {
            bytes[17..25].copy_from_slice(&length.to_le_bytes());
            assert!(decode::<Sample>(&bytes).is_err());
        }
        let mut bytes = encode(&sample());
        for length in [u64::MAX, 1 << 40, 1 << 30, 1 << 20, 9] {
            bytes[5..13].copy_from_slice(&length.to_le_bytes());
            assert!(decode::<Sample>(&bytes).is_err());
        }
    }
}
