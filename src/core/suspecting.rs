//! When a backup suspects its primary, and when suspicion becomes a view change.
//!
//! Suspicion is no promise: it is said at once in Status, voting goes on, and it is withdrawn when its cause ends. Only
//! when W members suspect, at least one of them correct, does a view change begin. A malformed message of a member that
//! is not the primary never triggers anything.

use std::time::Duration;

use super::notice::{Notice, StepDownCause, SuspicionCause, ViewChangeCause};
use super::peers::Peer;
use super::replica::{Phase, Replica};
use crate::messages::Standing;
use crate::types::{Instant, ReplicaId, SeqNum};

/// A forwarded request is overtaken when this many times the pool's capacity was executed after it.
const OVERTAKEN_POOLS: u64 = 2;
/// A member is let back in at most this often.
const READMISSION_PAUSE: Duration = Duration::from_secs(600);

impl Replica {
    /// The connection to a member was made or broke.
    pub(super) fn on_link(&mut self, peer: ReplicaId, up: bool) {
        self.peers.set_link(peer, up, self.now.monotonic);
        if up {
            self.timers.status_due = self.now.monotonic;
            self.fitness.ask_at = self.now.monotonic;
        }
    }

    /// The operator stops this replica: if it leads, it asks for its own replacement.
    pub(super) fn on_step_down(&mut self) {
        self.step_down(StepDownCause::Operator);
    }

    fn step_down(&mut self, cause: StepDownCause) {
        if self.is_leading() && self.committee().size() > 1 {
            self.notice(Notice::SteppedDown { cause });
            self.begin_view_change(self.view.next(), ViewChangeCause::PrimaryAsked);
        }
    }

    /// Looks for a cause of suspicion, says so when that changes, and begins the view change when W members agree.
    pub(super) fn suspect(&mut self) {
        self.note_waiting();
        self.readmit();
        let cause = self.suspicion_cause();
        if cause != self.suspicion {
            self.change_suspicion(cause);
        }
        if self.suspicion.is_none() {
            return;
        }
        let (view, now) = (self.view, self.now.monotonic);
        // A member repeats its Status every period while it lives; T is many of them.
        let lately = self.config().timeout();
        let others = self.peers.iter().filter(|(_, peer)| peer.suspects(view, now, lately)).count();
        if others + 1 >= self.committee().weak_quorum() {
            self.begin_view_change(view.next(), ViewChangeCause::Suspicion);
        }
    }

    fn change_suspicion(&mut self, cause: Option<SuspicionCause>) {
        let was_suspected = self.suspicion.is_some();
        self.suspicion = cause;
        match cause {
            Some(cause) if !was_suspected => {
                self.notice(Notice::Suspected { view: self.view, cause });
                self.timers.status_due = self.now.monotonic;
                self.pool.allow_forwarding();
                self.forward_waiting();
            }
            Some(_) => {}
            None => {
                self.notice(Notice::SuspicionWithdrawn { view: self.view });
                self.timers.status_due = self.now.monotonic;
            }
        }
    }

    fn suspicion_cause(&self) -> Option<SuspicionCause> {
        if !self.may_suspect() {
            return None;
        }
        let now = self.now.monotonic;
        let cannot_vote = self.peers.get(self.primary()).is_some_and(Peer::cannot_vote);
        let due = self.suspicion_deadlines().into_iter().flatten();
        let by_time = due.filter(|(_, at)| *at <= now).map(|(cause, _)| cause).next();
        if cannot_vote { Some(SuspicionCause::CannotVote) } else { by_time.or_else(|| self.overtaken()) }
    }

    fn may_suspect(&self) -> bool {
        self.phase == Phase::Active && self.standing() == Standing::Voting && !self.is_primary()
    }

    /// (a), (c), (d) and the time limit of (b): the moments at which they become causes.
    fn suspicion_deadlines(&self) -> [Option<(SuspicionCause, Instant)>; 4] {
        let timeout = self.timers.timeout();
        let primary = self.peers.get(self.primary());
        let heard = primary.and_then(Peer::heard).unwrap_or_default().max(self.timers.phase_since);
        let broken = primary.and_then(Peer::broken_since);
        let is_behind = self.is_far_behind();
        let waiting = self.timers.waiting_since.filter(|_| !is_behind);
        let forwarded = self.pool.oldest_forwarded().filter(|_| !is_behind);
        let grace = self.config().link_grace();
        [
            broken.map(|since| (SuspicionCause::LinkBroken, since.max(self.timers.phase_since).plus(grace))),
            Some((SuspicionCause::Silence, heard.plus(timeout))),
            waiting.map(|since| (SuspicionCause::NoProgress, since.plus(timeout))),
            forwarded.map(|(at, _)| (SuspicionCause::Censorship, at.plus(self.timers.cap()))),
        ]
    }

    /// (b): so many later requests were executed that the primary must have passed over a forwarded one.
    fn overtaken(&self) -> Option<SuspicionCause> {
        let (_, executed_then) = self.pool.oldest_forwarded().filter(|_| !self.is_far_behind())?;
        let allowed = OVERTAKEN_POOLS.saturating_mul(self.config().pool_requests_max);
        let later = self.progress.new_requests().saturating_sub(executed_then);
        (later > allowed).then_some(SuspicionCause::Censorship)
    }

    /// The next moment at which something may become a cause.
    pub(super) fn suspicion_deadline(&self) -> Option<Instant> {
        if !self.may_suspect() || self.suspicion.is_some() {
            return None;
        }
        self.suspicion_deadlines().into_iter().flatten().map(|(_, at)| at).min()
    }

    /// More than K slots behind a certificate: its own slowness explains that nothing executes.
    fn is_far_behind(&self) -> bool {
        let known = self.checkpoints.certified_seq();
        known.since(self.progress.executed()) > self.limits().checkpoint_interval
    }

    /// Notes since when requests wait, in the pool or in an accepted body, without progress.
    fn note_waiting(&mut self) {
        let waits = !self.pool.is_empty()
            || self
                .window
                .slots_after(self.progress.executed())
                .any(|(_, slot)| slot.accepted_batch().is_some_and(|batch| !batch.requests().is_empty()));
        if !waits {
            self.timers.waiting_since = None;
        } else if self.timers.waiting_since.is_none() || self.is_far_behind() {
            self.timers.waiting_since = Some(self.now.monotonic);
        }
    }

    /// A member that is alone in asking for a later view cannot vote until the others come there: the primary lets it
    /// back in by handing on the lead, seldom.
    ///
    /// One that has lost promises waits for its bounds: empty batches bring the low watermark to U, then the lead is
    /// handed on until the view is V.
    fn readmit(&mut self) {
        if !self.is_leading() {
            return;
        }
        let (now, view, low) = (self.now.monotonic, self.view, self.window.low());
        let patience = self.config().timeout().saturating_mul(2);
        let slots_max = self.window.high().plus(self.limits().window().saturating_mul(2));
        let waiting: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| peer.waits_for().map(|(bounds, since)| (id, bounds, since)))
            .filter(|(_, bounds, since)| {
                let is_near = bounds.seq <= slots_max && bounds.view.0.saturating_sub(view.0) <= 2;
                is_near && now.since(*since) > patience && (bounds.seq > low || bounds.view > view)
            })
            .collect();
        for (id, bounds, _) in waiting {
            let Some(peer) = self.peers.get_mut(id) else { continue };
            if !peer.begin_readmission(bounds, now, READMISSION_PAUSE) {
                continue;
            }
            if bounds.seq <= low && bounds.view > view {
                peer.end_readmission();
                self.step_down(StepDownCause::Readmission(id));
                return;
            }
        }
    }

    /// The slot up to which this primary proposes, empty batches if need be; the genesis while no member waits for one.
    pub(super) fn readmission_goal(&self) -> SeqNum {
        self.peers.iter().filter_map(|(_, peer)| peer.readmission()).map(|bounds| bounds.seq).max().unwrap_or_default()
    }
}
