//! What becomes of a frame that is sent.

/// What became of a frame handed to `send`. Delivery is never promised: the protocols above retransmit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a dropped frame is lost unless the sender retransmits"]
pub enum SendOutcome {
    /// The frame waits for its turn, or is on its way.
    Queued,
    /// The frame is gone.
    Dropped(DropReason),
}

/// Why a frame was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// The receiver is nobody this endpoint sends to.
    UnknownPeer,
    /// The payload is empty, or longer than `frame_bytes_max`.
    Length,
    /// There is no link to the receiver now.
    LinkDown,
    /// The queue to the receiver is full: it reads too slowly.
    QueueFull,
}
