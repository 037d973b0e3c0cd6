//! What a replica says of itself to its operator.

use quorate_crypto::Digest;
use serde::Serialize;

use crate::core::{Phase, Replica, SuspicionCause, TransferCause};
use crate::execution::state_fetch::Progress;
use crate::messages::{Bounds, Standing};
use crate::types::{ReplicaId, SeqNum};

/// A replica at one moment, for people and their tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplicaView {
    /// Its place in the committee.
    pub replica: ReplicaId,
    /// The highest view it has entered.
    pub view: u64,
    /// The view it asks for, while it changes views.
    pub target: Option<u64>,
    /// `primary` or `backup`.
    pub role: &'static str,
    /// The primary of its view.
    pub primary: ReplicaId,
    /// Whether it votes, and has the state that it votes on.
    pub voting: bool,
    /// Why it does not vote, order or execute at the moment, in plain words.
    pub why_not_voting: Option<String>,
    /// Why it suspects its primary, in plain words.
    pub suspicion: Option<&'static str>,
    /// h.
    pub low_watermark: u64,
    /// H.
    pub high_watermark: u64,
    /// The last slot that went to the executor.
    pub ordered: u64,
    /// The last slot that was executed.
    pub executed: u64,
    /// The chain hash after it.
    pub chain: Digest,
    /// The certified root at the low watermark.
    pub stable_root: Option<Digest>,
    /// How far the fetch of a whole state is, while there is one.
    pub transfer: Option<TransferView>,
    /// Requests that wait to be executed.
    pub requests_waiting: usize,
    /// Bytes of batches in memory.
    pub batch_bytes: u64,
    /// The members from whom nothing is heard.
    pub missing_members: Vec<ReplicaId>,
}

/// How far the fetch of a whole state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TransferView {
    /// The checkpoint that is fetched.
    pub goal: u64,
    /// Nodes that were fetched and verified.
    pub nodes: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Nodes that are known to be missing; more may stand below them.
    pub missing: u64,
    /// Members that are known to hold it.
    pub sources: usize,
}

impl From<Progress> for TransferView {
    fn from(progress: Progress) -> Self {
        let Progress { goal, nodes, bytes, missing, sources } = progress;
        TransferView { goal: goal.0, nodes, bytes, missing, sources }
    }
}

impl ReplicaView {
    /// The replica as it is now.
    #[must_use]
    pub fn of(replica: &Replica) -> Self {
        let (low, high) = replica.watermarks();
        let (ordered, executed) = replica.execution();
        let (requests_waiting, batch_bytes) = replica.load();
        let target = match replica.phase() {
            Phase::Active => None,
            Phase::ViewChanging { target } => Some(target.0),
        };
        let why_not_voting = why_not_voting(replica, target);
        ReplicaView {
            replica: replica.id(),
            view: replica.view().0,
            target,
            role: if replica.primary() == replica.id() { "primary" } else { "backup" },
            primary: replica.primary(),
            voting: why_not_voting.is_none(),
            why_not_voting,
            suspicion: replica.suspicion().map(in_words),
            low_watermark: low.0,
            high_watermark: high.0,
            ordered: ordered.0,
            executed: executed.0,
            chain: replica.chain(),
            stable_root: replica.stable_checkpoint().map(|checkpoint| checkpoint.root),
            transfer: None,
            requests_waiting,
            batch_bytes,
            missing_members: replica.missing_members(),
        }
    }
}

fn why_not_voting(replica: &Replica, target: Option<u64>) -> Option<String> {
    let awaited = replica.awaited_members();
    Some(match (replica.standing(), target) {
        (Standing::Voting, target) => match (replica.waits_for_state(), target) {
            (Some(cause), _) => waiting_for_state(cause, replica.transfer_goal()),
            (None, Some(target)) => format!("waits for view {target} to begin"),
            (None, None) => return None,
        },
        (Standing::Checking, _) => {
            format!("checking its votes with its peers after its start{}", unanswered(&awaited, ""))
        }
        (Standing::Recovering { bounds: Some(Bounds { view, seq }) }, _) => {
            let ((low, _), now) = (replica.watermarks(), replica.view());
            let wanted = format!("votes only above slot {seq} and from view {view} on");
            format!("does not know all that it has signed: {wanted}; its low watermark is {low}, its view {now}")
        }
        (Standing::Recovering { bounds: None }, _) => {
            let unproven = "; what they claim of themselves is not proven yet";
            format!(
                "does not know all that it has signed, and asks its peers what bounds it{}",
                unanswered(&awaited, unproven)
            )
        }
        (Standing::LowDisk, _) => "its disk is full: it goes on when there is room again".to_owned(),
        (Standing::Diverged { at }, _) => {
            format!("its state differs from the certified one at checkpoint {at}, which it fetches from its peers")
        }
        (Standing::Halted, _) => "more than f members are provably faulty: see the evidence".to_owned(),
    })
}

/// What a replica without a usable state does about it. It votes, but executes nothing.
fn waiting_for_state(cause: TransferCause, goal: Option<SeqNum>) -> String {
    let why = match cause {
        TransferCause::NoState => "has no usable state",
        TransferCause::Diverged => "has a state that differs from the certified one",
        TransferCause::LogGone => "is too far behind to execute what it has missed",
    };
    match goal {
        Some(goal) => format!("{why}: fetches the state of slot {goal}"),
        None => format!("{why}: waits for a certified checkpoint to fetch"),
    }
}

/// Whose answers are missing, or what else is so when none is.
fn unanswered(awaited: &[ReplicaId], otherwise: &str) -> String {
    match awaited {
        [] => otherwise.to_owned(),
        [one] => format!("; no answer yet from replica {one}"),
        many => {
            let many: Vec<_> = many.iter().map(ToString::to_string).collect();
            format!("; no answer yet from replicas {}", many.join(", "))
        }
    }
}

/// A cause of suspicion in plain words.
pub(super) fn in_words(cause: SuspicionCause) -> &'static str {
    match cause {
        SuspicionCause::NoProgress => "requests wait and none is executed",
        SuspicionCause::Censorship => "the primary passes over a request",
        SuspicionCause::Silence => "nothing is heard from the primary",
        SuspicionCause::LinkBroken => "the connection to the primary broke",
        SuspicionCause::CannotVote => "the primary says that it cannot vote",
    }
}
