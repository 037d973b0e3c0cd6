//! Quorate: a Byzantine fault tolerant replication engine.

pub mod batch;
pub mod client;
pub mod client_window;
pub mod clock;
pub mod codec;
pub mod committee;
pub mod config;
pub mod core;
pub mod execution;
pub mod genesis;
pub mod messages;
pub mod outcome;
pub mod runtime;
pub mod storage;
pub mod types;

pub use committee::Committee;
pub use config::NodeConfig;
pub use genesis::Genesis;
pub use types::{ClientId, Epoch, Instant, Now, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime};
