//! What a replica wants done. The shape says the order: what is durable comes before what is sent, and that before what
//! is executed.

use serde::{Deserialize, Serialize};

use super::notice::Notice;
use super::promises::EnteredView;
use crate::batch::{Batch, CommittedBatch};
use crate::messages::{
    Bounds, Checkpoint, CheckpointCertificate, CommitCertificate, Message, PrePrepare, PreparedCertificate,
    ReplicaMessage, Signed, ViewChange,
};
use crate::mutants::Mutant;
use crate::types::{ClientId, ReplicaId, RequestId, SeqNum};

/// What one or several steps of a replica want done.
///
/// `send` and `execute` leave only when every record in `persist` that [must be synced](JournalRecord::must_sync), of
/// these and of all earlier actions, is durable.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    /// First: appended to the journal in this order.
    pub persist: Vec<JournalRecord>,
    /// Second: sent.
    pub send: Vec<Outgoing>,
    /// Third: handed to the executor, in this order, and through it to the clients.
    pub execute: Vec<Order>,
    /// At any time: for logs, metrics, checkers and tests.
    pub notices: Vec<Notice>,
}

impl Actions {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.persist.is_empty() && self.send.is_empty() && self.execute.is_empty() && self.notices.is_empty()
    }

    /// Whether what is sent and executed must wait for the disk.
    #[must_use]
    pub fn must_sync(&self) -> bool {
        self.persist.iter().any(JournalRecord::must_sync)
    }
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// To members.
    Replica {
        /// To whom.
        to: Recipients,
        /// What.
        message: Message,
    },
    /// To a client.
    Client {
        /// To whom.
        to: ClientId,
        /// What.
        message: ReplicaMessage,
    },
    /// To a member, from the journal: the committed slots after `after` up to `through`, as many as fit into one
    /// [`Message::Committed`].
    History {
        /// To whom.
        to: ReplicaId,
        /// The last slot that it has.
        after: SeqNum,
        /// The last slot that it wants and this replica has.
        through: SeqNum,
    },
}

/// To whom a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// All other members.
    Others,
    /// One member, never the sender itself.
    One(ReplicaId),
}

/// What the executor shall do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Execute the batch of the next slot.
    Apply(CommittedBatch),
    /// Send a client the reply that it has got before, or may have missed.
    Resend {
        /// The client.
        to: ClientId,
        /// The request.
        id: RequestId,
    },
    /// A checkpoint that was executed here is certified: it may be proven to clients and written to disk.
    Stable(CheckpointCertificate),
    /// Bring the state to this certified root, or to one that a later order of this kind names, from the other members.
    /// Nothing is applied until that is durable and [`Report::Installed`](super::Report::Installed) has said so.
    CatchUpTo(CheckpointCertificate),
}

/// What a replica never forgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JournalRecord {
    /// A batch, once, before the first record that names it.
    Batch {
        /// The slot.
        seq: SeqNum,
        /// The batch.
        batch: Batch,
    },
    /// This replica assigned or accepted this batch: before its PrePrepare or Prepare leaves.
    PrePrepared(Signed<PrePrepare>),
    /// This replica is prepared: before its Commit leaves.
    Prepared(PreparedCertificate),
    /// This replica asks for another view: before its ViewChange leaves.
    ViewChangeSent(Signed<ViewChange>),
    /// This replica enters a view: before its first message of that view.
    ViewEntered(EnteredView),
    /// A slot goes to the executor. Contiguous and ascending.
    Committed(CommitCertificate),
    /// The state at a checkpoint: before its Checkpoint leaves.
    CheckpointTaken(Checkpoint),
    /// The low watermark rose. Above the committed prefix: a state that was fetched stands for all slots up to there.
    CheckpointStable(CheckpointCertificate),
    /// This replica has lost promises and keeps clear of these bounds; `None` while it does not know them.
    RecoveryBegun(Option<Bounds>),
    /// What was lost binds no more: everything signed before lies below the low watermark and the view.
    RecoveryEnded,
}

impl JournalRecord {
    /// Whether messages must wait until it is durable. The others lose nothing when they are lost: a batch without a
    /// vote binds nobody, and commits are found again. A stable checkpoint promises nothing either, but its state may be
    /// written to a snapshot as soon as the executor hears of it, and a snapshot must not outlive the journal below it.
    #[must_use]
    pub fn must_sync(&self) -> bool {
        match self {
            JournalRecord::PrePrepared(_)
            | JournalRecord::Prepared(_)
            | JournalRecord::ViewChangeSent(_)
            | JournalRecord::ViewEntered(_)
            | JournalRecord::CheckpointTaken(_)
            | JournalRecord::CheckpointStable(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => !Mutant::SendBeforePersist.lives(),
            JournalRecord::Batch { .. } | JournalRecord::Committed(_) => false,
        }
    }
}
