//! Why a replica does nothing with a message: the sender is wrong, late, or ahead. Never a panic.

use crate::types::{ReplicaId, SeqNum, View};

/// Why a valid message is not taken now. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It belongs to a view that has passed.
    #[error("view {view} has passed, this is view {current}")]
    OldView {
        /// The message's view.
        view: View,
        /// The view here.
        current: View,
    },
    /// It belongs to a view that has not begun here; it is fetched again later.
    #[error("view {view} has not begun here, this is view {current}")]
    FutureView {
        /// The message's view.
        view: View,
        /// The view here.
        current: View,
    },
    /// A view change is under way: no assignment is accepted.
    #[error("the view is being changed")]
    ViewInactive,
    /// The slot is not between the watermarks.
    #[error("slot {seq} is outside ({low}, {high}]")]
    OutsideWindow {
        /// The slot.
        seq: SeqNum,
        /// The low watermark.
        low: SeqNum,
        /// The high watermark.
        high: SeqNum,
    },
    /// The slot belongs to what the NewView re-proposed.
    #[error("slot {seq} was assigned by the new view")]
    AssignedByNewView {
        /// The slot.
        seq: SeqNum,
    },
    /// It is here already.
    #[error("nothing new")]
    Duplicate,
    /// The signer has said something else before.
    #[error("{signer} contradicts itself at slot {seq}")]
    Equivocation {
        /// Who.
        signer: ReplicaId,
        /// Where.
        seq: SeqNum,
    },
    /// It does not come from the member it speaks for.
    #[error("that is not for its sender to say")]
    WrongSender,
    /// Nobody asked for it.
    #[error("not asked for")]
    NotAskedFor,
    /// The sender asks more often than it may.
    #[error("asked too often")]
    RateLimited,
    /// Its body is missing and no assignment of a new view.
    #[error("the batch is missing")]
    BodyMissing,
    /// The pool or the client's share of it is full.
    #[error("no room for more requests")]
    PoolFull,
    /// The NewView's assignments do not follow from its ViewChanges.
    #[error("the assignments do not follow from the view changes")]
    WrongReProposals,
    /// This replica does not vote any more.
    #[error("this replica has stopped voting")]
    NotVoting,
}
