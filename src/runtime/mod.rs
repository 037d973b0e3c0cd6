//! The engine running in real time: threads and clocks around the sans-I/O parts.
//!
//! ```text
//! transport → ingress → verify threads → core thread → persister thread → transport
//!                                            ↑               ↓
//!                                            └── reports ── executor thread → clients
//! ```
//!
//! - [`ingress`]: frames become verified events, in the order of each sender. It never blocks the transport: it drops.
//! - `core_loop`: owns the [`Replica`](crate::core::Replica); nothing else touches it.
//! - `persister`: makes durable what must be, once for all that is queued, and only then lets go of what waited for it.
//! - `executor_thread`: owns the application; reports back and answers clients.
//! - `restoring`: the state that a replica starts with.
//! - `state_transfer`: serves whole states to those who fell behind, and fetches one where the log is gone.
//! - `snapshotter`: writes durable snapshots while execution goes on, when `snapshot_schedule` says that one is due.
//! - `observer`: turns notices into logs and [metrics].
//!
//! Invariant: no cycle of bounded queues. What flows back to the core (reports) is not bounded by a queue but by the
//! protocol: the core hands over at most two windows of batches that are not executed.

pub mod failure;
pub mod ingress;
pub mod metrics;
pub mod replica_task;
pub mod replica_view;
pub mod transport;

mod core_loop;
mod executor_thread;
mod observer;
mod persister;
mod queue;
mod rate_limit;
mod restoring;
mod snapshot_schedule;
mod snapshotter;
mod state_transfer;
#[cfg(test)]
mod tests;

pub use executor_thread::StateReader;
pub use failure::{Failure, StartError};
pub use ingress::Ingress;
pub use replica_task::{ReplicaParts, RunningReplica};
pub use replica_view::ReplicaView;
pub use transport::Transport;
