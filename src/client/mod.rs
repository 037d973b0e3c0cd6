//! Clients: how an operation becomes a result that no minority of replicas can forge (PBFT, section 4.1; DESIGN of
//! sessions and windows in [`crate::client_window`]).
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`session`] | [`ClientSession`]: numbers, windows, retransmission and f+1 equal replies, sans-I/O |
//! | [`claim`] | what single replicas say about one request, and when enough of them say the same |
//!
//! Invariant: nothing that fewer than W = f+1 members say is ever believed, and a member counts once, by the channel
//! that it spoke over.

pub mod claim;
pub mod session;

pub use claim::{Answers, Claim, Refusal};
pub use session::{ClientSession, Failure, Identity, Output, Retry, SubmitError};
