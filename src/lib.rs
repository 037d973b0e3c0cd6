//! Quorate: a Byzantine fault tolerant replication engine. A service written as a deterministic
//! [`StateMachine`](execution::StateMachine) runs on n = 3f+1 replicas in lock-step, correct and available while up to f of
//! them are faulty in any way.
//!
//! # The life of a request
//!
//! A [`client`] numbers and signs a request. On a replica [`runtime::ingress`] decodes it, [`messages::verify`] judges it, and
//! the thread of the core steps the [`Replica`](core::Replica) with it. The primary proposes it in a [`batch`]; all vote, and what
//! a step wants done comes out as [`Actions`](core::Actions): first made durable by [`storage`], then sent, then executed by
//! the [`Executor`](execution::Executor), whose replies the client believes when f+1 replicas say the same.
//!
//! # Modules
//!
//! Each uses only those above it; `clock` is used by the last two alone.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`types`], [`committee`], [`config`], [`genesis`], [`codec`] | numbers, quorums, settings, what all replicas share, bytes |
//! | [`outcome`], [`client_window`] | what became of an operation; which requests are executed |
//! | [`batch`], [`messages`] | what replicas and clients say, and the judgement of its validity |
//! | [`core`] | agreement: PBFT without I/O |
//! | `guard` | panics of code that is not ours, as values |
//! | `mutants` | mistakes on purpose, which the simulator must notice; compiled to nothing |
//! | [`execution`] | what happens to a committed batch; the application and its state |
//! | [`storage`] | journal, snapshots and home |
//! | [`client`] | the other end |
//! | [`runtime`] | threads and [`clock`]s around all that |

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
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod outcome;
pub mod runtime;
pub mod storage;
pub mod types;

mod guard;
#[cfg(not(feature = "mutants"))]
mod mutants;

pub use committee::Committee;
pub use config::NodeConfig;
pub use genesis::Genesis;
pub use types::{ClientId, Epoch, Instant, Now, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime};

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
