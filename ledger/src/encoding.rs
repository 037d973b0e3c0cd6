//! The bytes of everything in the ledger: a version of its own, then the canonical encoding of the engine.

use bytes::Bytes;
use quorate::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::LedgerRefusal;

/// The version of operations, answers and records in this release.
const VERSION: u8 = 1;

pub(crate) fn encode<T: Serialize>(value: &T) -> Bytes {
    codec::canonical(&(VERSION, value)).into()
}

/// The value that [`encode`] made: every other byte string is refused, so one value has one encoding.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LedgerRefusal> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => codec::decode_canonical(rest).map_err(|_| LedgerRefusal::Malformed),
        Some((&version, _)) => Err(LedgerRefusal::UnknownVersion(version)),
        None => Err(LedgerRefusal::Malformed),
    }
}
