//! Quorate: a Byzantine fault tolerant replication engine.

pub mod committee;
pub mod types;

pub use committee::Committee;
pub use types::{ClientId, Epoch, Instant, Now, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime};
