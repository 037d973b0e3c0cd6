//! A state transfer in real time. Questions and answers go past the core: it only says which certified state is wanted.
//!
//! ```text
//! fetching replica                              serving replica
//! executor thread ── FetchState, FetchNodes ──→ ingress → state server thread
//!        ↑                                                     │
//!        └──── gate ←── ingress ←── StateHead, Nodes ──────────┘
//! ```
//!
//! Invariant: a peer can make neither end keep more than one answer, or two questions, of its own.

mod fetching;
mod gate;
mod serving;
mod staging;

pub(super) use fetching::{Fetching, TransferWatch};
pub(super) use gate::TransferGate;
pub(super) use serving::{QUESTIONS_WAITING_MAX, ServerInput, StateServing};
pub(super) use staging::Staging;
