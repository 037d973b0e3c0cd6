//! What a state transfer gives out.

use std::fmt;

use bytes::Bytes;
use quorate_crypto::Digest;

use crate::execution::replicated_state::ReplicatedState;
use crate::execution::state::InvalidNode;
use crate::messages::{CheckpointCertificate, Message};
use crate::types::{ReplicaId, SeqNum};

/// What is to be done after a step.
#[derive(Clone, Debug, Default)]
pub struct FetchOutput {
    /// Messages to members.
    pub send: Vec<(ReplicaId, Message)>,
    /// Verified nodes by their hashes, to be kept until the state is durable: a fetch that is begun again after a restart
    /// finds them with [`StagedNodes`].
    pub stage: Vec<(Digest, Bytes)>,
    /// For logs and metrics.
    pub notices: Vec<FetchNotice>,
}

/// A state that was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The state. Its root is the certified one.
    pub state: ReplicatedState,
    /// The proof.
    pub certificate: CheckpointCertificate,
}

/// The nodes that an earlier fetch has left behind. They are checked like those of a peer.
pub trait StagedNodes: Send + Sync + fmt::Debug {
    /// The node with this hash.
    fn node(&self, hash: &Digest) -> Option<Bytes>;
}

/// Something that observers may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchNotice {
    /// The fetch has begun.
    Started {
        /// The checkpoint.
        goal: SeqNum,
    },
    /// A node is not what was asked for.
    NodeRejected {
        /// Who sent it.
        from: ReplicaId,
        /// What is wrong with it.
        reason: InvalidNode,
    },
    /// What a source was to send is asked of others.
    SourceSwitched {
        /// The source.
        from: ReplicaId,
        /// What is wrong with it.
        doubt: Doubt,
    },
    /// Not enough sources hold the goal any more.
    GoalMoved {
        /// The goal so far.
        from: SeqNum,
        /// The goal now.
        to: SeqNum,
    },
    /// The certified root is that of no state: only a faulty quorum can have certified it.
    GoalUnusable {
        /// The checkpoint.
        seq: SeqNum,
        /// What is wrong with its state.
        reason: InvalidNode,
    },
    /// Where the fetch stands, every now and then.
    Progressed(Progress),
    /// The state is complete.
    Done(Progress),
}

/// Why a source is not asked any more, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It does not answer in time.
    Silent,
    /// It sent what was not asked for.
    Lied,
    /// It does not hold the goal, or not any more.
    Lacks,
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The checkpoint.
    pub goal: SeqNum,
    /// Nodes that were fetched and verified.
    pub nodes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Nodes that are known to be missing; more may stand below them.
    pub missing: u64,
    /// Sources that hold the goal.
    pub sources: usize,
}
