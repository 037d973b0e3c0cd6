//! What the engine needs of a network.

use bytes::Bytes;

use crate::types::{ClientId, ReplicaId};

/// Carries frames. Sending never blocks and may lose a frame: the protocol repeats what is missing.
pub trait Transport: Send + Sync + 'static {
    /// Sends to a member. Bulk travels apart, so that a large batch never delays a vote.
    fn to_replica(&self, to: ReplicaId, bulk: bool, frame: Bytes);

    /// Sends to a client, on whatever connections it has here.
    fn to_client(&self, to: ClientId, frame: Bytes);
}
