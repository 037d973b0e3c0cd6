//! What a replica lets observers know. Nothing inside the core reads a notice.

use quorate_crypto::Digest;

use super::event::Space;
use super::promises::Recovery;
use super::rejection::Rejection;
use crate::messages::{
    Bounds, Checkpoint, Commit, CommitCertificate, NewView, PrePrepare, Prepare, PreparedCertificate, Signed,
};
use crate::types::{ReplicaId, RequestId, SeqNum, View};

/// Something that observers may want to know: logs, metrics, checkers, tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message was not taken.
    Rejected {
        /// The sender.
        from: ReplicaId,
        /// The kind of message.
        kind: &'static str,
        /// Why.
        reason: Rejection,
    },
    /// A request came into the pool.
    RequestPooled(RequestId),
    /// A request was handed on to the primary, or to all members.
    RequestForwarded(RequestId),
    /// This primary assigned a batch.
    Proposed {
        /// The slot.
        seq: SeqNum,
        /// How many requests.
        requests: usize,
    },
    /// Requests wait, and this primary proposes nothing before a checkpoint moves its window on. Said once for a window.
    WindowFull {
        /// The high watermark.
        high: SeqNum,
    },
    /// A vote waits until the proposal's time is near enough.
    VoteDelayed {
        /// The slot.
        seq: SeqNum,
    },
    /// A slot is prepared.
    Prepared {
        /// The view.
        view: View,
        /// The slot.
        seq: SeqNum,
    },
    /// A slot is committed.
    Committed {
        /// The view of the certificate.
        view: View,
        /// The slot.
        seq: SeqNum,
        /// The batch.
        digest: Digest,
    },
    /// A slot was executed.
    Executed {
        /// The slot.
        seq: SeqNum,
        /// How many requests were executed for the first time.
        requests: usize,
        /// The chain hash after it.
        chain: Digest,
    },
    /// The low watermark rose.
    CheckpointStable {
        /// The new low watermark.
        seq: SeqNum,
        /// The certified root.
        root: Digest,
    },
    /// This replica suspects its primary.
    Suspected {
        /// The view.
        view: View,
        /// Why.
        cause: SuspicionCause,
    },
    /// The cause of the suspicion ended.
    SuspicionWithdrawn {
        /// The view.
        view: View,
    },
    /// This replica asks for another view.
    ViewChangeStarted {
        /// The view it asks for.
        target: View,
        /// Why.
        cause: ViewChangeCause,
    },
    /// This replica entered a view.
    ViewEntered {
        /// The view.
        view: View,
        /// How many batches the NewView re-proposed.
        re_proposed: usize,
        /// How many slots it filled with the null batch.
        null_filled: usize,
    },
    /// A proof that a member is faulty, or that more than f are.
    Evidence(Box<Evidence>),
    /// The primary asks for its own replacement, to let a member back in that is alone in a later view.
    SteppedDown {
        /// Why.
        cause: StepDownCause,
    },
    /// This replica fell behind and asks a peer for committed slots.
    CatchingUp {
        /// The peer.
        from: ReplicaId,
        /// The last slot it has.
        after: SeqNum,
        /// The last slot it wants.
        to: SeqNum,
    },
    /// The own state differs from a certified one: this replica has stopped voting.
    Diverged {
        /// The checkpoint.
        seq: SeqNum,
        /// The own root.
        own: Digest,
        /// The certified root.
        certified: Digest,
    },
    /// The first slot at which the own history differs from that of a peer.
    DivergedAt {
        /// The slot.
        seq: SeqNum,
        /// The peer.
        peer: ReplicaId,
    },
    /// More than f members are provably faulty: this replica has stopped for good.
    Halted,
    /// Enough members have said what they hold with this replica's signature.
    StartChecked {
        /// What is known of its promises.
        recovery: Recovery,
    },
    /// A peer holds something that this replica has signed and knows nothing of.
    PromisesLost(LostPromises),
    /// What was lost is bounded.
    RecoveryBounded {
        /// V and U.
        bounds: Bounds,
    },
    /// What was lost binds no more: this replica votes again.
    Recovered {
        /// V and U, which it has passed.
        bounds: Bounds,
    },
    /// The disk is full, or has room again.
    DiskSpace(Space),
    /// A state is fetched from the other members.
    StateTransferStarted {
        /// The checkpoint.
        goal: SeqNum,
        /// Why.
        cause: TransferCause,
    },
    /// A fetched state takes the place of the own one.
    StateInstalled {
        /// The checkpoint.
        seq: SeqNum,
    },
    /// The own state was wrong and is given up.
    StateDiscarded {
        /// Up to where it went.
        executed: SeqNum,
    },
}

/// Something that this replica has signed and knows nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostPromises {
    /// A PrePrepare, Prepare or Commit.
    Vote {
        /// Its view.
        view: View,
        /// Its slot.
        seq: SeqNum,
    },
    /// A ViewChange.
    ViewChange {
        /// Its target.
        target: View,
    },
}

/// Why a state is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferCause {
    /// There is none at the start.
    NoState,
    /// The own one differs from the certified one.
    Diverged,
    /// Nobody keeps the log that is missing, or it would take longer.
    LogGone,
}

/// Why a primary is suspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspicionCause {
    /// (a) Requests wait and none was executed for T.
    NoProgress,
    /// (b) A forwarded request was overtaken for too long.
    Censorship,
    /// (c) Nothing was heard from it for T.
    Silence,
    /// (d) The connection to it broke and was not restored.
    LinkBroken,
    /// (e) It says that it cannot vote.
    CannotVote,
}

/// Why a replica asks for another view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChangeCause {
    /// W members suspect the primary.
    Suspicion,
    /// The primary asked for its own replacement.
    PrimaryAsked,
    /// f+1 members ask for later views.
    Join,
    /// The NewView did not come in time.
    NewViewLate,
}

/// Why a primary gives up the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepDownCause {
    /// The operator stops it.
    Operator,
    /// A member is alone in changing the view and must be let back in.
    Readmission(ReplicaId),
}

/// Two statements that no correct replica makes both. Anyone with the committee's keys can check them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two assignments of one slot in one view.
    PrePrepares(Signed<PrePrepare>, Signed<PrePrepare>),
    /// Two Prepares for one slot in one view.
    Prepares(Signed<Prepare>, Signed<Prepare>),
    /// Two Commits for one slot in one view.
    Commits(Signed<Commit>, Signed<Commit>),
    /// Two roots for one checkpoint.
    Checkpoints(Signed<Checkpoint>, Signed<Checkpoint>),
    /// Two valid certificates for one slot and view: more than f members are faulty.
    PreparedCertificates(PreparedCertificate, PreparedCertificate),
    /// A valid NewView that contradicts a committed slot: more than f members are faulty.
    ContradictsCommitted(Signed<NewView>, CommitCertificate),
    /// Two commit certificates for one slot: more than f members are faulty.
    CommitCertificates(CommitCertificate, CommitCertificate),
}
