//! What became of an operation. Part of the results that all replicas agree on, of replies and of receipts.

use bytes::Bytes;
use quorate_crypto::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::types::{RequestId, Session};

/// What became of an operation: the same on every replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was executed; its changes stand. The bytes are the application's answer.
    Done(#[serde(with = "codec::blob")] Bytes),
    /// The application refused it; its changes were discarded. The bytes say why in the application's words.
    Refused(#[serde(with = "codec::blob")] Bytes),
    /// It went beyond a limit of the genesis; its changes were discarded.
    OverLimit(LimitExceeded),
    /// The application panicked; the changes were discarded.
    Panicked,
    /// It was not executed at this place.
    Skipped(SkipReason),
}

/// Which limit of the genesis an operation went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitExceeded {
    /// `key_bytes_max`.
    Key,
    /// `value_bytes_max`.
    Value,
    /// `state_bytes_max`.
    State,
    /// `outcome_bytes_max`.
    Outcome,
}

/// Why a request in a batch was not executed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SkipReason {
    /// It was executed earlier.
    Executed,
    /// A later session of the client is open.
    OldSession {
        /// The open session.
        current: Session,
    },
    /// Its number lies outside the client's window.
    OutsideWindow,
}

/// The leaf of an operation in the Merkle tree of its batch's results:
/// `H(tag ‖ index ‖ RequestId ‖ H(operation) ‖ outcome)`.
#[must_use]
pub fn result_leaf(index: u32, id: &RequestId, operation: &Digest, outcome: &Outcome) -> Digest {
    Hasher::new("quorate/result/v1")
        .u64(u64::from(index))
        .bytes(id.client.0.as_bytes())
        .u64(id.session.0)
        .u64(id.number.0)
        .digest(operation)
        .bytes(&codec::canonical(outcome))
        .finish()
}
