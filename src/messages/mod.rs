//! The messages of the protocol (PBFT, TOCS 2002, section 4), one file for each sub-protocol.
//!
//! A [`Signed`] statement is judged by its signer, whoever relays it. Everything else is judged by its content, or
//! counts only for the peer that sent it. What [`verify`] returns is a [`Verified`] message: the core sees no other.

#![deny(clippy::indexing_slicing, reason = "what is received has the length that its sender chose")]

pub mod catch_up;
pub mod certificate;
pub mod checkpoint;
pub mod client;
pub mod memo;
pub mod message;
pub mod ordering;
pub mod request;
pub mod signed;
pub mod state_transfer;
pub mod verify;
pub mod view_change;

pub use catch_up::{Bounds, ChainDigests, CommittedSlot, HeldVotes, SlotProgress, Standing, Status};
pub use certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate, VoteSignature};
pub use checkpoint::Checkpoint;
pub use client::{Attestation, Busy, ClientMessage, RefusalReason, Refused, ReplicaMessage, Reply, RequestResult};
pub use message::Message;
pub use ordering::{Commit, PrePrepare, Prepare, Proposal};
pub use request::Request;
pub use signed::{Payload, Signed, SigningContext, Verified};
pub use state_transfer::{Extent, FetchNodes, NodePath, NodeRef, Nodes, StateHead, StateNode, Tree};
pub use verify::{Invalid, Verifier};
pub use view_change::{NewView, ViewChange};
