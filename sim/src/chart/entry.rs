//! What a world records.

use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::statement::Statement;

/// Something that happened at a moment of virtual time.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Nanoseconds since the world began.
    pub at: u64,
    /// What it was.
    pub happening: Happening,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A message leaves for one receiver.
    Sent {
        /// The sender.
        from: Party,
        /// The receiver.
        to: Party,
        /// What it says.
        statement: Statement,
        /// When it arrives; `None` when the network loses it.
        arrives: Option<u64>,
    },
    /// A message arrives, at a replica that may be down.
    Arrived {
        /// The sender.
        from: Party,
        /// The receiver.
        to: Party,
        /// The fingerprint of its statement.
        fingerprint: u64,
    },
    /// Somebody does something or lets something know.
    Noted(Party, Note),
    /// A replica runs from now on.
    Started(ReplicaId),
    /// A replica is down from now on.
    Crashed(ReplicaId, String),
    /// Something happens to the world as a whole.
    World(String),
}

impl Happening {
    /// A message leaves, and comes as often as it does.
    pub(crate) fn sent(
        from: impl Into<Party>,
        to: impl Into<Party>,
        statement: Statement,
        arrivals: &[u64],
    ) -> Happening {
        Happening::Sent { from: from.into(), to: to.into(), statement, arrives: arrivals.first().copied() }
    }
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A client, by its place.
    Client(usize),
    /// A replica.
    Replica(ReplicaId),
}

impl From<ReplicaId> for Party {
    fn from(id: ReplicaId) -> Self {
        Party::Replica(id)
    }
}

/// What an entry is about, for filters and for what matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The view, or the one that is asked for.
    pub view: Option<View>,
    /// The slot.
    pub seq: Option<SeqNum>,
    /// The batch or root.
    pub digest: Option<Digest>,
}

/// The part of the protocol that an entry belongs to. The later, the more it tells about a run as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// What happens all the time and says little: heartbeats, duplicates.
    Noise,
    /// Catching up and state transfer.
    CatchUp,
    /// Requests and replies.
    Client,
    /// Checkpoints.
    Checkpoint,
    /// The three phases of a slot.
    Vote,
    /// What is committed and executed.
    Execution,
    /// View changes.
    View,
    /// Crashes, damages, cuts, lost promises, evidence.
    Fault,
}

/// Something that one party does or lets know.
#[derive(Clone, Debug)]
pub struct Note {
    /// To what it belongs.
    pub topic: Topic,
    /// What it is about.
    pub about: About,
    /// What happened, said of the one that it happened to.
    pub text: String,
}

impl Note {
    /// A note about nothing in particular.
    #[must_use]
    pub fn new(topic: Topic, text: impl Into<String>) -> Self {
        Note { topic, about: About::default(), text: text.into() }
    }

    /// The same, about a slot.
    #[must_use]
    pub fn at(self, seq: SeqNum) -> Self {
        Note { about: About { seq: Some(seq), ..self.about }, ..self }
    }

    /// The same, about a view.
    #[must_use]
    pub fn of_view(self, view: View) -> Self {
        Note { about: About { view: Some(view), ..self.about }, ..self }
    }

    /// The same, about a batch or root.
    #[must_use]
    pub fn with(self, digest: Digest) -> Self {
        Note { about: About { digest: Some(digest), ..self.about }, ..self }
    }
}
