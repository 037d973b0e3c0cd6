//! Requests of clients.

use bytes::Bytes;
use quorate_crypto::{Digest, Hasher, KeyPair, Signature};
use serde::{Deserialize, Serialize};

use super::signed::SigningContext;
use crate::codec;
use crate::genesis::REQUEST_OVERHEAD_BYTES;
use crate::types::{ClientId, RequestId};

const DOMAIN: &str = "quorate/request/v1";

/// One operation that a client asks for, signed by the client. PBFT's ⟨REQUEST, o, t, c⟩ with session and number as
/// the timestamp t.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its name.
    pub id: RequestId,
    /// What the state machine shall execute, at most `operation_bytes_max` bytes.
    #[serde(with = "codec::blob")]
    pub operation: Bytes,
    /// The client's signature.
    pub signature: Signature,
}

impl Request {
    /// Signs an operation as the client that owns `key`.
    #[must_use]
    pub fn sign(context: &SigningContext, key: &KeyPair, id: RequestId, operation: Bytes) -> Self {
        let signature = context.sign_bytes(key, &Self::bytes(context, &id, &operation));
        Request { id, operation, signature }
    }

    /// What the signature covers.
    #[must_use]
    pub fn signed_bytes(&self, context: &SigningContext) -> Vec<u8> {
        Self::bytes(context, &self.id, &self.operation)
    }

    fn bytes(context: &SigningContext, id: &RequestId, operation: &Bytes) -> Vec<u8> {
        context.client_bytes(DOMAIN, id.client, &(id.session, id.number, operation.as_ref()))
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> ClientId {
        self.id.client
    }

    /// H(operation), which replies and receipts name.
    #[must_use]
    pub fn operation_digest(&self) -> Digest {
        operation_digest(&self.operation)
    }

    /// How many bytes it takes in the body of a batch.
    #[must_use]
    pub fn encoded_bytes(&self) -> u64 {
        REQUEST_OVERHEAD_BYTES + self.operation.len() as u64
    }
}

/// H(operation).
#[must_use]
pub fn operation_digest(operation: &[u8]) -> Digest {
    Hasher::new("quorate/operation/v1").bytes(operation).finish()
}
