//! What one replica sends to another.

use bytes::Bytes;
use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::catch_up::{ChainDigests, CommittedSlot, HeldVotes, Status};
use super::certificate::CheckpointCertificate;
use super::checkpoint::Checkpoint;
use super::ordering::{Commit, Prepare, Proposal};
use super::request::Request;
use super::signed::Signed;
use super::state_transfer::{FetchNodes, Nodes, StateHead};
use super::view_change::{NewView, ViewChange};
use crate::batch::Batch;
use crate::codec::{self, DecodeError};
use crate::types::{ReplicaId, SeqNum};

/// A message between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// A client's request that a backup hands on.
    Forward(Request),
    /// An assignment with its batch.
    PrePrepare(Proposal),
    /// A backup's acceptance.
    Prepare(Signed<Prepare>),
    /// A prepared replica's vote.
    Commit(Signed<Commit>),
    /// A state root.
    Checkpoint(Signed<Checkpoint>),
    /// A request for another view.
    ViewChange(Signed<ViewChange>),
    /// The proof of another view.
    NewView(Signed<NewView>),
    /// Where the sender stands.
    Status(Status),
    /// Send me the batch with this digest at this slot.
    FetchBatch {
        /// The slot.
        seq: SeqNum,
        /// The digest.
        digest: Digest,
    },
    /// The batch of a slot.
    Batch {
        /// The slot.
        seq: SeqNum,
        /// The batch.
        batch: Batch,
    },
    /// Send me what is committed after `after` up to `to`.
    FetchCommitted {
        /// The last slot that the sender has.
        after: SeqNum,
        /// The last slot it wants.
        to: SeqNum,
    },
    /// Committed slots, consecutive and ascending.
    Committed(#[serde(with = "codec::list")] Vec<CommittedSlot>),
    /// Send me this ViewChange.
    FetchViewChange {
        /// Its signer.
        signer: ReplicaId,
        /// Its digest.
        digest: Digest,
    },
    /// Send me what this member has signed, as far as you have it.
    FetchVotes {
        /// The member.
        signer: ReplicaId,
    },
    /// Send me your stable checkpoint's certificate.
    FetchCheckpoint,
    /// The proof of a checkpoint.
    CheckpointCertificate(CheckpointCertificate),
    /// Send me your chain hashes after the slots from `from` to `to`.
    FetchChain {
        /// The first slot.
        from: SeqNum,
        /// The last slot.
        to: SeqNum,
    },
    /// Chain hashes.
    Chain(ChainDigests),
    /// What was asked for with `FetchVotes`.
    Votes(HeldVotes),
    /// The slots after `after` were asked for, and are not held any more.
    HistoryGone {
        /// The last slot that the other one has.
        after: SeqNum,
    },
    /// Send me the parts of the root at this checkpoint.
    FetchState {
        /// The checkpoint.
        seq: SeqNum,
    },
    /// The parts of a root.
    StateHead(StateHead),
    /// Send me nodes of the state.
    FetchNodes(FetchNodes),
    /// Nodes of the state.
    Nodes(Nodes),
}

impl Message {
    /// The frame that carries it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        codec::encode(self).into()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that no replica of this version sends.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(frame)
    }

    /// The name in logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Message::Forward(_) => "forward",
            Message::PrePrepare(_) => "pre_prepare",
            Message::Prepare(_) => "prepare",
            Message::Commit(_) => "commit",
            Message::Checkpoint(_) => "checkpoint",
            Message::ViewChange(_) => "view_change",
            Message::NewView(_) => "new_view",
            Message::Status(_) => "status",
            Message::FetchBatch { .. } => "fetch_batch",
            Message::Batch { .. } => "batch",
            Message::FetchCommitted { .. } => "fetch_committed",
            Message::Committed(_) => "committed",
            Message::FetchViewChange { .. } => "fetch_view_change",
            Message::FetchVotes { .. } => "fetch_votes",
            Message::FetchCheckpoint => "fetch_checkpoint",
            Message::CheckpointCertificate(_) => "checkpoint_certificate",
            Message::FetchChain { .. } => "fetch_chain",
            Message::Chain(_) => "chain",
            Message::Votes(_) => "votes",
            Message::HistoryGone { .. } => "history_gone",
            Message::FetchState { .. } => "fetch_state",
            Message::StateHead(_) => "state_head",
            Message::FetchNodes(_) => "fetch_nodes",
            Message::Nodes(_) => "nodes",
        }
    }

    /// Whether it travels with the bulk, so that it never delays a vote.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        match self {
            Message::Forward(_)
            | Message::PrePrepare(_)
            | Message::Batch { .. }
            | Message::Committed(_)
            | Message::Chain(_)
            | Message::FetchNodes(_)
            | Message::Nodes(_) => true,
            Message::Prepare(_)
            | Message::Commit(_)
            | Message::Checkpoint(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::FetchBatch { .. }
            | Message::FetchCommitted { .. }
            | Message::FetchViewChange { .. }
            | Message::FetchVotes { .. }
            | Message::FetchCheckpoint
            | Message::CheckpointCertificate(_)
            | Message::FetchChain { .. }
            | Message::Votes(_)
            | Message::HistoryGone { .. }
            | Message::FetchState { .. }
            | Message::StateHead(_) => false,
        }
    }
}
