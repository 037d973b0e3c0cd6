//! What is known of the other members: when they were heard, what their last Status said, and how often they may ask.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::messages::{Standing, Status};
use crate::types::{Instant, ReplicaId, SeqNum, View};

/// How many questions of one peer are answered in a row, and how long one more takes to be allowed.
const BURST_MAX: u32 = 64;
const REFILL: Duration = Duration::from_millis(5);
/// How long lies between two answers of the same costly kind to one peer.
const RESEND_PAUSE: Duration = Duration::from_millis(100);

/// One other member.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    heard: Option<Instant>,
    status: Option<Status>,
    /// Since when the connection is broken that stood before.
    broken_since: Option<Instant>,
    is_connected: bool,
    /// Since when its Status says that it changes the view to this target.
    changing_since: Option<(View, Instant)>,
    readmitted_at: Option<Instant>,
    view_sent_at: Option<Instant>,
    questions: u32,
    refilled_at: Instant,
}

impl Peer {
    /// When it was heard last.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// Its last Status.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// Up to where it says that it has executed.
    #[must_use]
    pub fn executed(&self) -> SeqNum {
        self.status.as_ref().map_or(SeqNum::GENESIS, |status| status.executed)
    }

    /// Since when an established connection to it is broken.
    #[must_use]
    pub fn broken_since(&self) -> Option<Instant> {
        self.broken_since
    }

    /// Whether it says that it cannot vote.
    #[must_use]
    pub fn cannot_vote(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.standing != Standing::Voting)
    }

    /// Whether it suspects the primary of `view`.
    #[must_use]
    pub fn suspects(&self, view: View) -> bool {
        self.status.as_ref().is_some_and(|status| status.view == view && status.suspects)
    }

    /// The view to which it changes, and since when.
    #[must_use]
    pub fn changing_since(&self) -> Option<(View, Instant)> {
        self.changing_since
    }

    /// Whether it was let back in within the last `pause`.
    #[must_use]
    pub fn was_readmitted_within(&self, now: Instant, pause: Duration) -> bool {
        self.readmitted_at.is_some_and(|at| now.since(at) < pause)
    }

    /// Notes that the lead is given up for it.
    pub fn set_readmitted(&mut self, now: Instant) {
        self.readmitted_at = Some(now);
    }

    /// Whether the proof of a view may be sent to it now; if so, not again for a while.
    pub fn may_send_view(&mut self, now: Instant) -> bool {
        let may = self.view_sent_at.is_none_or(|at| now.since(at) >= RESEND_PAUSE);
        if may {
            self.view_sent_at = Some(now);
        }
        may
    }

    /// Whether one more question of it is answered now.
    pub fn may_ask(&mut self, now: Instant) -> bool {
        let refill = u32::try_from(now.since(self.refilled_at).as_nanos() / REFILL.as_nanos()).unwrap_or(BURST_MAX);
        if refill > 0 {
            self.questions = self.questions.saturating_sub(refill);
            self.refilled_at = now;
        }
        let may = self.questions < BURST_MAX;
        if may {
            self.questions += 1;
        }
        may
    }

    /// Takes its Status; gives back the one before.
    pub fn set_status(&mut self, status: Status, now: Instant) -> Option<Status> {
        self.changing_since = match (status.target, self.changing_since) {
            (Some(target), Some((known, since))) if target == known => Some((target, since)),
            (Some(target), _) => Some((target, now)),
            (None, _) => None,
        };
        self.status.replace(status)
    }
}

/// All other members.
#[derive(Clone, Debug)]
pub struct Peers {
    peers: BTreeMap<ReplicaId, Peer>,
}

impl Peers {
    /// The members other than `own`.
    #[must_use]
    pub fn new(own: ReplicaId, members: impl Iterator<Item = ReplicaId>) -> Self {
        Peers { peers: members.filter(|id| *id != own).map(|id| (id, Peer::default())).collect() }
    }

    /// One member; `None` for the replica itself.
    #[must_use]
    pub fn get(&self, id: ReplicaId) -> Option<&Peer> {
        self.peers.get(&id)
    }

    /// One member.
    pub fn get_mut(&mut self, id: ReplicaId) -> Option<&mut Peer> {
        self.peers.get_mut(&id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, &Peer)> {
        self.peers.iter().map(|(id, peer)| (*id, peer))
    }

    /// Notes that a member was heard.
    pub fn set_heard(&mut self, id: ReplicaId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.heard = Some(now);
        }
    }

    /// Notes that the connection to a member was made or broke.
    pub fn set_link(&mut self, id: ReplicaId, up: bool, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.broken_since = if up { None } else { peer.broken_since.or(peer.is_connected.then_some(now)) };
            peer.is_connected = up;
        }
    }

    /// The member after `last`, in a circle, among those that `accept` likes.
    #[must_use]
    pub fn next_after(&self, last: Option<ReplicaId>, accept: impl Fn(ReplicaId, &Peer) -> bool) -> Option<ReplicaId> {
        let all: Vec<_> = self.iter().filter(|(id, peer)| accept(*id, peer)).map(|(id, _)| id).collect();
        let next = last.and_then(|last| all.iter().find(|id| **id > last));
        next.or_else(|| all.first()).copied()
    }
}
