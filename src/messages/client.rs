//! What clients and replicas say to each other beside requests. A replica's answers go over a channel that
//! authenticates it, carry no signature, and are believed when W replicas say the same.

use bytes::Bytes;
use quorate_crypto::Digest;
use quorate_crypto::merkle::InclusionProof;
use serde::{Deserialize, Serialize};

use super::certificate::CheckpointCertificate;
use super::request::Request;
use super::signed::{Payload, Signed};
use crate::codec::{self, DecodeError};
use crate::mutants::Mutant;
use crate::outcome::Outcome;
use crate::types::{RequestNumber, SeqNum, Session, WallTime};

/// From a client to a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// Order and execute this.
    Request(Request),
    /// Attest the result at this place, for a receipt.
    Attest {
        /// The slot.
        seq: SeqNum,
        /// The place in the batch.
        index: u32,
    },
    /// What stands under this key at your last certified checkpoint?
    Query {
        /// Chosen by the client; comes back in the answer.
        tag: u64,
        /// The key of the application's state.
        #[serde(with = "codec::blob")]
        key: Bytes,
    },
}

/// From a replica to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaMessage {
    /// Results of the client's requests in one batch, or cached ones.
    Reply(Reply),
    /// The pool is full: try again later.
    Busy(Busy),
    /// The request will not be ordered.
    Refused(Refused),
    /// This replica's part of a receipt.
    Attestation(AttestedResult),
    /// No attestation: the batch is not executed yet, or too old.
    NotAttested {
        /// The slot asked for.
        seq: SeqNum,
        /// The place asked for.
        index: u32,
        /// The slots that can be attested now; none when `from` is greater.
        from: SeqNum,
        /// The last of them.
        to: SeqNum,
    },
    /// A proven value.
    Answer(Answer),
}

/// Results of requests of one client in one batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// In the order of execution.
    #[serde(with = "codec::list")]
    pub results: Vec<RequestResult>,
}

/// The result of one request of the client that receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestResult {
    /// The session.
    pub session: Session,
    /// The number within it.
    pub number: RequestNumber,
    /// The slot in which it was executed.
    pub seq: SeqNum,
    /// The place in the batch.
    pub index: u32,
    /// H(operation): which of several operations under one name was executed.
    pub operation: Digest,
    /// What became of it.
    pub outcome: Outcome,
}

/// A request that finds no room at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// Its session.
    pub session: Session,
    /// Its number.
    pub number: RequestNumber,
}

/// A request that will not be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its session.
    pub session: Session,
    /// Its number.
    pub number: RequestNumber,
    /// H(operation): a client uses a refused number for another operation.
    pub operation: Digest,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a request will not be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalReason {
    /// A later session is open.
    OldSession {
        /// The open session.
        current: Session,
    },
    /// Its number is 0 or too far ahead.
    OutsideWindow,
    /// The operation is larger than `operation_bytes_max`.
    TooLarge,
    /// The signature does not verify, or the request names another client.
    NotAuthentic,
    /// The application does not want it.
    NotAdmitted(#[serde(with = "codec::blob")] Bytes),
}

/// A replica's signature under the results of a batch and the history before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The slot.
    pub seq: SeqNum,
    /// The chain hash after it.
    pub chain: Digest,
    /// The Merkle root of its results.
    pub results_root: Digest,
}

impl Payload for Attestation {
    const DOMAIN: &'static str = "quorate/attestation/v1";
    const KIND: &'static str = "attestation";
}

/// An attestation with the path from one result to its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestedResult {
    /// The signed statement.
    pub attestation: Signed<Attestation>,
    /// From the result's leaf to the root.
    pub path: InclusionProof,
}

/// What stood under a key at a certified checkpoint, with the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The query's tag.
    pub tag: u64,
    /// Proves the checkpoint's root; `None` before the first checkpoint, when there is nothing to prove yet.
    pub proven: Option<ProvenAnswer>,
}

/// The proof in an [`Answer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenAnswer {
    /// Proves the root.
    pub certificate: CheckpointCertificate,
    /// What the root is made of.
    pub parts: RootParts,
    /// The encoded proof of the key's value, or its absence, against the application root.
    #[serde(with = "codec::blob")]
    pub proof: Bytes,
}

/// What a checkpoint's root is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootParts {
    /// The root of the application's state.
    pub application: Digest,
    /// The root of the client table.
    pub client_table: Digest,
    /// The chain hash.
    pub chain: Digest,
    /// The agreed time.
    pub time: WallTime,
}

impl RootParts {
    /// `root = H(tag ‖ seq ‖ application root ‖ client table root ‖ chain hash ‖ time)`.
    #[must_use]
    pub fn root(&self, seq: SeqNum) -> Digest {
        let client_table = if Mutant::CheckpointWithoutClientTable.lives() { Digest::ZERO } else { self.client_table };
        quorate_crypto::Hasher::new("quorate/root/v1")
            .u64(seq.0)
            .digest(&self.application)
            .digest(&client_table)
            .digest(&self.chain)
            .u64(self.time.0)
            .finish()
    }
}

macro_rules! frames {
    ($($name:ident),*) => {$(
        impl $name {
            /// The frame that carries it.
            #[must_use]
            pub fn encode(&self) -> Bytes {
                codec::encode(self).into()
            }

            /// Reads a frame.
            ///
            /// # Errors
            /// [`DecodeError`] for bytes that this version does not send.
            pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
                codec::decode(frame)
            }
        }
    )*};
}

frames!(ClientMessage, ReplicaMessage);
