//! What happens to a replica.

use quorate_crypto::Digest;

use crate::client_window::ClientWindow;
use crate::messages::{CheckpointCertificate, Message, Request, Verified};
use crate::types::{ClientId, ReplicaId, RequestId, SeqNum};

/// Everything that can happen to a replica. One event is one [`step`](super::Replica::step).
#[derive(Clone, Debug)]
pub enum Event {
    /// A client handed in a request over its own channel.
    Request(Verified<Request>),
    /// A member sent a message.
    Message {
        /// The member at the other end of the channel; not always the signer.
        from: ReplicaId,
        /// What it sent.
        message: Verified<Message>,
    },
    /// The connection to a member was made or broke.
    Link {
        /// The member.
        peer: ReplicaId,
        /// Whether it stands now.
        up: bool,
    },
    /// The executor reports.
    Executor(Report),
    /// There is too little room on the disk, or enough again.
    Disk(Space),
    /// The operator asks this replica to hand over the lead, because it will stop.
    StepDown,
    /// The moment that [`next_deadline`](super::Replica::next_deadline) named has come.
    DeadlineReached,
}

/// Whether the disk has room for what voting writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// It has.
    Enough,
    /// Only the reserve is left: nothing more may be promised.
    Low,
}

/// What the executor tells the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A committed batch was executed. Batches are reported in order, each once.
    Executed(ExecutedBatch),
    /// The state up to a slot is on disk: the journal up to there is needed for history only.
    SnapshotDurable(SeqNum),
    /// A state was loaded, from the disk at a start or from the other members, and is durable. It replaces all that the
    /// core knew of execution; the state may be older than what was executed before.
    Installed {
        /// Up to where the loaded state goes.
        seq: SeqNum,
        /// The chain hash there.
        chain: Digest,
        /// The root of the state there.
        root: Digest,
        /// The proof that the root is certified, if it is at hand.
        certificate: Option<CheckpointCertificate>,
        /// The executed requests of every client that has executed any.
        windows: Vec<(ClientId, ClientWindow)>,
    },
    /// At a start: there is no usable state, or the journal cannot bring it up to the low watermark.
    StateMissing,
}

/// What the core must know of an executed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedBatch {
    /// The slot.
    pub seq: SeqNum,
    /// The chain hash after it.
    pub chain: Digest,
    /// All requests of the batch, the skipped ones too, so that they leave the pool.
    pub requests: Vec<ExecutedRequest>,
    /// The root of the state, at a checkpoint.
    pub root: Option<Digest>,
}

/// One request of an executed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutedRequest {
    /// Its name.
    pub id: RequestId,
    /// Whether it was executed here for the first time; otherwise it was skipped.
    pub executed: bool,
}
