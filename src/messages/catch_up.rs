//! What replicas tell each other so that one that missed something gets it. Unsigned: it counts only for the peer
//! that sent it, and every content is checked against a digest or a certificate.

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::certificate::CommitCertificate;
use super::ordering::{Commit, PrePrepare, Prepare};
use super::signed::Signed;
use super::view_change::ViewChange;
use crate::batch::Batch;
use crate::codec;
use crate::types::{ReplicaId, SeqNum, View};

/// Where a replica stands. Sent on connect and periodically; the heartbeat of the primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The highest view it has entered.
    pub view: View,
    /// The view it asks for, while it is changing views.
    pub target: Option<View>,
    /// Whether it suspects the primary of `view`.
    pub suspects: bool,
    /// Whether it may vote.
    pub standing: Standing,
    /// Its low watermark.
    pub stable: SeqNum,
    /// Up to where it has executed.
    pub executed: SeqNum,
    /// The chain hash after `executed`.
    pub chain: Digest,
    /// Its progress at the slots after `stable`, in their order; slots behind the list are untouched.
    #[serde(with = "codec::list")]
    pub slots: Vec<SlotProgress>,
}

/// What a replica that lost promises must keep clear of (docs/STORAGE.md): whatever it has signed before lies within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// V: the highest view that was entered or asked for.
    pub view: View,
    /// U: the highest high watermark that was granted.
    pub seq: SeqNum,
}

impl Bounds {
    /// The bounds that cover both.
    #[must_use]
    pub fn max(self, other: Bounds) -> Bounds {
        Bounds { view: self.view.max(other.view), seq: self.seq.max(other.seq) }
    }
}

/// Whether a replica may vote, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It votes.
    Voting,
    /// It has just started and asks its peers what it has signed before.
    Checking,
    /// It has lost promises and keeps clear of these bounds; `None` while it does not know them.
    Recovering {
        /// V and U.
        bounds: Option<Bounds>,
    },
    /// Its disk is full.
    LowDisk,
    /// Its state differs from a certified one.
    Diverged {
        /// The checkpoint at which that was noticed.
        at: SeqNum,
    },
    /// It stopped because more than f members are provably faulty.
    Halted,
}

impl Standing {
    /// The bounds of a replica that has lost promises, once it knows them.
    #[must_use]
    pub fn recovers_within(&self) -> Option<Bounds> {
        match self {
            Standing::Recovering { bounds } => *bounds,
            Standing::Voting
            | Standing::Checking
            | Standing::LowDisk
            | Standing::Diverged { .. }
            | Standing::Halted => None,
        }
    }
}

/// How far a slot is, as far as its peers can help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotProgress {
    /// The assignment of the current view was accepted.
    pub pre_prepared: bool,
    /// Its batch is here.
    pub has_body: bool,
    /// A prepared certificate of the current view is here.
    pub prepared: bool,
    /// It is committed.
    pub committed: bool,
}

/// A committed slot with its proof: what `FetchCommitted` is answered with, and what the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedSlot {
    /// Q Commits.
    pub certificate: CommitCertificate,
    /// The batch; `None` is the null batch.
    pub batch: Option<Batch>,
}

/// The chain hashes after consecutive slots, to find the first at which two histories differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainDigests {
    /// The first slot.
    pub from: SeqNum,
    /// The chain hash after it and after each following slot.
    #[serde(with = "codec::list")]
    pub digests: Vec<Digest>,
}

/// All that a replica holds with the signature of one member: the one answer to `FetchVotes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldVotes {
    /// The member.
    pub signer: ReplicaId,
    /// The view that the answering replica has entered; it proves it on demand.
    pub view: View,
    /// The view that it asks for, or is in; its ViewChange proves it.
    pub target: View,
    /// The highest checkpoint of which the answering replica has a certificate; it proves it on demand.
    pub certified: SeqNum,
    /// Its assignments above the answering replica's low watermark, and the last one below it.
    #[serde(with = "codec::list")]
    pub pre_prepares: Vec<Signed<PrePrepare>>,
    /// Its Prepares, the same.
    #[serde(with = "codec::list")]
    pub prepares: Vec<Signed<Prepare>>,
    /// Its Commits, the same.
    #[serde(with = "codec::list")]
    pub commits: Vec<Signed<Commit>>,
    /// Its ViewChange with the highest target.
    pub view_change: Option<Signed<ViewChange>>,
}
