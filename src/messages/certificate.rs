//! Certificates: the votes of Q distinct members for one statement, which convince anyone.
//!
//! A decoded certificate is a claim. One inside a [`Verified`](super::Verified) message, or made by the core from
//! verified votes, is valid: Q distinct members, one view, slot and digest, the right primary.

use quorate_crypto::{Digest, Signature};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::ordering::{Commit, PrePrepare, Prepare};
use super::signed::Signed;
use crate::codec;
use crate::types::{ReplicaId, SeqNum, View};

/// One member's signature under the statement of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteSignature {
    /// The member.
    pub signer: ReplicaId,
    /// Its signature.
    pub signature: Signature,
}

/// prepared(v, s, D): the primary's PrePrepare and the Prepares of Q-1 distinct backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PreparedCertificate {
    /// The assignment.
    pub pre_prepare: Signed<PrePrepare>,
    /// Q-1 backups, in ascending order.
    #[serde(with = "codec::list")]
    pub prepares: Vec<VoteSignature>,
}

impl PreparedCertificate {
    /// The view in which it was prepared.
    #[must_use]
    pub fn view(&self) -> View {
        self.pre_prepare.payload.view
    }

    /// The slot.
    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.pre_prepare.payload.seq
    }

    /// The batch.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.pre_prepare.payload.digest
    }

    /// What the backups signed.
    #[must_use]
    pub fn prepare(&self) -> Prepare {
        Prepare { view: self.view(), seq: self.seq(), digest: self.digest() }
    }
}

/// committed: Q distinct equal Commits of one view.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommitCertificate {
    /// What the members signed.
    pub commit: Commit,
    /// Q members, in ascending order.
    #[serde(with = "codec::list")]
    pub commits: Vec<VoteSignature>,
}

impl CommitCertificate {
    /// The slot.
    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.commit.seq
    }

    /// The batch.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.commit.digest
    }
}

/// Q distinct equal Checkpoints: the root is certified.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckpointCertificate {
    /// What the members signed.
    pub checkpoint: Checkpoint,
    /// Q members, in ascending order.
    #[serde(with = "codec::list")]
    pub signatures: Vec<VoteSignature>,
}

impl CheckpointCertificate {
    /// The slot.
    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.checkpoint.seq
    }

    /// The root of the state after it.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.checkpoint.root
    }
}

// Signatures are no part of an identity: two certificates for one statement are the same proof.
macro_rules! equal_by {
    ($name:ident, $($field:ident).+) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.$($field).+ == other.$($field).+
            }
        }

        impl Eq for $name {}
    };
}

equal_by!(PreparedCertificate, pre_prepare.payload);
equal_by!(CommitCertificate, commit);
equal_by!(CheckpointCertificate, checkpoint);
