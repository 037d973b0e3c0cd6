//! What an endpoint tells its owner. Calls come from the tasks that read: they must not block.

use bytes::Bytes;
use quorate::{ClientId, ReplicaId};

use crate::class::Class;

/// Receives what comes from the other members.
pub trait MemberHandler: Send + Sync + 'static {
    /// A frame from a member. Frames of one class come in the order in which they were sent, as long as the link holds.
    /// Some may come just before the link is reported up and just after it is reported down. Must not block.
    fn frame(&self, from: ReplicaId, class: Class, frame: Bytes);

    /// The link to a member became usable in both directions and for all classes, or broke. Must not block.
    fn link(&self, peer: ReplicaId, up: bool);
}

/// Receives what comes from clients.
pub trait ClientHandler: Send + Sync + 'static {
    /// A frame from a client. Must not block.
    fn frame(&self, from: ClientId, frame: Bytes);

    /// The first link to a client became usable, or the last one broke. Must not block.
    fn link(&self, client: ClientId, up: bool);
}

/// Receives what comes to a client from the replicas.
pub trait ReplicaHandler: Send + Sync + 'static {
    /// A frame from a replica. Must not block.
    fn frame(&self, from: ReplicaId, frame: Bytes);

    /// The link to a replica became usable, or broke. Must not block.
    fn link(&self, replica: ReplicaId, up: bool);
}
