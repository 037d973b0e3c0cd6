//! What is known of the other members: when they were heard, what their last Status said, and how often they may ask.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::messages::{Bounds, Standing, Status};
use crate::types::{Instant, ReplicaId, SeqNum, View};

/// How many questions of one peer are answered in a row, and how long one more takes to be allowed.
const BURST_MAX: u32 = 64;
const REFILL: Duration = Duration::from_millis(5);
/// How long lies between two answers of the same costly kind to one peer.
const RESEND_PAUSE: Duration = Duration::from_millis(100);
/// The same for the votes of a member: less than the period in which they are asked for.
const VOTES_PAUSE: Duration = Duration::from_millis(50);

/// One other member.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    heard: Option<Instant>,
    status: Option<Status>,
    /// When that came.
    status_at: Instant,
    /// Since when the connection is broken that stood before.
    broken_since: Option<Instant>,
    is_connected: bool,
    /// Since when its Status says that it may vote only above these bounds.
    waits_for: Option<(Bounds, Instant)>,
    /// The bounds to which this primary helps it.
    readmission: Option<Bounds>,
    /// To which bounds it was helped last, and when that began.
    readmitted: Option<(Bounds, Instant)>,
    view_sent_at: Option<Instant>,
    votes_sent_at: Option<Instant>,
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
        self.status.as_ref().is_some_and(|status| match status.standing {
            // A check at the start takes a moment.
            Standing::Voting | Standing::Checking => false,
            Standing::Recovering { .. } | Standing::LowDisk | Standing::Diverged { .. } | Standing::Halted => true,
        })
    }

    /// Whether it suspects the primary of `view`, or has given it up for a later one, as far as it has said so lately: one
    /// that has ended suspects nobody.
    #[must_use]
    pub fn suspects(&self, view: View, now: Instant, lately: Duration) -> bool {
        now.since(self.status_at) <= lately
            && self.status.as_ref().is_some_and(|status| {
                (status.suspects && status.view == view) || status.target.is_some_and(|target| target > view)
            })
    }

    /// The slot and the view that it must come past before it votes, and since when it says so: it has lost promises, or
    /// is alone in asking for a later view.
    #[must_use]
    pub fn waits_for(&self) -> Option<(Bounds, Instant)> {
        self.waits_for
    }

    /// The bounds to which this primary helps it.
    #[must_use]
    pub fn readmission(&self) -> Option<Bounds> {
        self.readmission
    }

    /// Begins to help it, or goes on, unless it was helped to other bounds a short while ago. Says whether it does.
    pub fn begin_readmission(&mut self, bounds: Bounds, now: Instant, pause: Duration) -> bool {
        let is_same = self.readmitted.is_some_and(|(known, _)| known == bounds);
        // One that restarts on its way back goes on from where it was.
        if !is_same && self.readmitted.is_some_and(|(_, at)| now.since(at) < pause) {
            return false;
        }
        if !is_same {
            self.readmitted = Some((bounds, now));
        }
        self.readmission = Some(bounds);
        true
    }

    /// Nothing more can be done for it in this view.
    pub fn end_readmission(&mut self) {
        self.readmission = None;
    }

    /// Whether the proof of a view may be sent to it now; if so, not again for a while.
    pub fn may_send_view(&mut self, now: Instant) -> bool {
        let may = self.view_sent_at.is_none_or(|at| now.since(at) >= RESEND_PAUSE);
        if may {
            self.view_sent_at = Some(now);
        }
        may
    }

    /// Whether all votes of a member may be sent to it now; if so, not again for a while.
    pub fn may_send_votes(&mut self, now: Instant) -> bool {
        let may = self.votes_sent_at.is_none_or(|at| now.since(at) >= VOTES_PAUSE);
        if may {
            self.votes_sent_at = Some(now);
        }
        may
    }

    /// A long answer counts as so many more questions.
    pub fn charge(&mut self, questions: u32) {
        self.questions = self.questions.saturating_add(questions).min(2 * BURST_MAX);
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
        let bounds = match (status.standing, status.target) {
            // It may have asked for a later view than it must come past, and goes back to none before it.
            (standing @ Standing::Recovering { .. }, target) => standing
                .recovers_within()
                .map(|bounds| bounds.max(Bounds { view: target.unwrap_or_default(), seq: SeqNum::GENESIS })),
            (Standing::Voting, Some(view)) => Some(Bounds { view, seq: SeqNum::GENESIS }),
            (Standing::Voting, None) => None,
            (Standing::Checking | Standing::LowDisk | Standing::Diverged { .. } | Standing::Halted, _) => None,
        };
        self.waits_for = bounds.map(|bounds| match self.waits_for {
            Some((known, since)) if known == bounds => (bounds, since),
            Some(_) | None => (bounds, now),
        });
        if self.waits_for.is_none() {
            self.readmission = None;
        }
        self.status_at = now;
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

#[cfg(test)]
mod tests {
    use quorate_crypto::Digest;

    use super::*;

    #[test]
    fn a_member_waits_for_the_later_of_its_bounds_and_of_the_view_that_it_has_asked_for() {
        let bounds = Bounds { view: View(3), seq: SeqNum(20) };
        let status = |standing, target: Option<u64>| Status {
            view: View(2),
            target: target.map(View),
            suspects: false,
            standing,
            stable: SeqNum(24),
            executed: SeqNum(25),
            chain: Digest::ZERO,
            slots: Vec::new(),
        };
        let waits_for = |standing, target| {
            let mut peer = Peer::default();
            peer.set_status(status(standing, target), Instant(1));
            peer.waits_for().map(|(bounds, _)| bounds)
        };
        let recovering = Standing::Recovering { bounds: Some(bounds) };
        assert_eq!(waits_for(recovering, None), Some(bounds));
        assert_eq!(waits_for(recovering, Some(5)), Some(Bounds { view: View(5), seq: SeqNum(20) }));
        assert_eq!(waits_for(Standing::Recovering { bounds: None }, Some(5)), None);
        let alone = Bounds { view: View(5), seq: SeqNum::GENESIS };
        assert_eq!(waits_for(Standing::Voting, Some(5)), Some(alone));
        assert_eq!(waits_for(Standing::Voting, None), None);
    }
}
