//! Batches: what agreement orders and hands to execution.

use std::sync::Arc;

use bytes::Bytes;
use quorate_crypto::{Digest, Hasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{self, DecodeError};
use crate::messages::request::Request;
use crate::types::{SeqNum, WallTime};

/// A batch: the time that its primary proposed, and its requests. The encoded body is made once and then only handed
/// on: the same bytes are hashed, sent, journalled and served. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Batch {
    time: WallTime,
    body: Bytes,
    body_digest: Digest,
    requests: Arc<[Request]>,
}

impl Batch {
    /// A batch of these requests, proposed at `time`. It may be empty.
    #[must_use]
    pub fn new(time: WallTime, requests: Vec<Request>) -> Self {
        let body = Bytes::from(codec::canonical(&requests));
        Batch { time, body_digest: digest_of_body(&body), body, requests: requests.into() }
    }

    /// Reads a batch from the bytes that [`Batch::body`] gave. Its requests are not verified here.
    ///
    /// # Errors
    /// [`DecodeError`] when the body is no canonical list of requests.
    pub fn from_body(time: WallTime, body: Bytes) -> Result<Self, DecodeError> {
        let Requests(requests) = codec::decode_canonical(&body)?;
        Ok(Batch { time, body_digest: digest_of_body(&body), body, requests: requests.into() })
    }

    /// The proposed time.
    #[must_use]
    pub fn time(&self) -> WallTime {
        self.time
    }

    /// The encoded requests, client signatures included.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The requests in their order.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The digest that votes name. It contains no view, so that a re-proposal keeps it.
    #[must_use]
    pub fn digest(&self, seq: SeqNum) -> Digest {
        Hasher::new("quorate/batch/v1").u64(seq.0).u64(self.time.0).digest(&self.body_digest).finish()
    }
}

/// The digest of the null batch, with which a new view fills a slot that nobody can have committed.
#[must_use]
pub fn null_digest(seq: SeqNum) -> Digest {
    Hasher::new("quorate/null-batch/v1").u64(seq.0).finish()
}

fn digest_of_body(body: &[u8]) -> Digest {
    Hasher::new("quorate/batch-body/v1").bytes(body).finish()
}

#[derive(Deserialize)]
struct Requests(#[serde(with = "codec::list")] Vec<Request>);

#[derive(Serialize, Deserialize)]
struct Wire {
    time: WallTime,
    #[serde(with = "codec::blob")]
    body: Bytes,
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { time: self.time, body: self.body.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { time, body } = Wire::deserialize(deserializer)?;
        Batch::from_body(time, body).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} requests, {} bytes)", self.requests.len(), self.body.len())
    }
}

/// What was committed at a slot, on its way to the executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedBatch {
    /// The slot.
    pub seq: SeqNum,
    /// The digest that a quorum committed.
    pub digest: Digest,
    /// The batch; `None` is the null batch, whose time is that of the slot before.
    pub batch: Option<Batch>,
}

impl CommittedBatch {
    /// Whether the content has the committed digest.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.digest == self.batch.as_ref().map_or_else(|| null_digest(self.seq), |batch| batch.digest(self.seq))
    }
}
