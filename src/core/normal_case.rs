//! The normal case (PBFT, section 4.2): requests are pooled, the primary proposes batches, and a slot goes through
//! pre-prepared, prepared and committed to the executor.

use std::time::Duration;

use quorate_crypto::Digest;

use super::actions::{JournalRecord, Order, Outgoing, Recipients};
use super::event::ExecutedBatch;
use super::notice::{Evidence, Notice};
use super::progress::Ordered;
use super::rejection::Rejection;
use super::replica::Replica;
use super::request_pool::Pooled;
use super::slot::{Accepted, Origin, Slot};
use super::vote_set::Recorded;
use crate::batch::Batch;
use crate::client_window::Admission;
use crate::messages::{
    Busy, Commit, CommitCertificate, Message, PrePrepare, Prepare, PreparedCertificate, Proposal, RefusalReason,
    Refused, ReplicaMessage, Request, Signed, Verified,
};
use crate::mutants::Mutant;
use crate::types::{Instant, RequestId, SeqNum, View};

/// How many waiting requests are handed on at once when another primary takes the lead; the clients repeat the rest.
const FORWARDED_AT_ONCE: usize = 256;

impl Replica {
    /// A client asks over its own channel.
    pub(super) fn on_client_request(&mut self, request: Verified<Request>) {
        let id = request.id;
        match self.progress.admit(&id, self.limits().client_window) {
            Admission::Executed => self.actions.execute.push(Order::Resend { to: id.client, id }),
            Admission::OldSession { current } => self.refuse(&request, RefusalReason::OldSession { current }),
            Admission::OutsideWindow => self.refuse(&request, RefusalReason::OutsideWindow),
            Admission::New => match self.pool.add(request.into_inner(), self.now.monotonic) {
                Pooled::Full => {
                    let message = ReplicaMessage::Busy(Busy { session: id.session, number: id.number });
                    self.actions.send.push(Outgoing::Client { to: id.client, message });
                }
                Pooled::New => {
                    self.notice(Notice::RequestPooled(id));
                    self.forward(id, self.config().status_period(false));
                }
                Pooled::Known => self.forward(id, self.config().status_period(false)),
            },
        }
    }

    /// A member hands on a client's request.
    pub(super) fn on_forward(&mut self, request: Verified<Request>) -> Result<(), Rejection> {
        match self.progress.admit(&request.id, self.limits().client_window) {
            Admission::New => {}
            Admission::Executed | Admission::OldSession { .. } | Admission::OutsideWindow => {
                return Err(Rejection::Duplicate);
            }
        }
        let id = request.id;
        match self.pool.add(request.into_inner(), self.now.monotonic) {
            Pooled::New => self.notice(Notice::RequestPooled(id)),
            Pooled::Known => return Err(Rejection::Duplicate),
            Pooled::Full => return Err(Rejection::PoolFull),
        }
        Ok(())
    }

    fn refuse(&mut self, request: &Request, reason: RefusalReason) {
        let RequestId { client, session, number } = request.id;
        let refused = Refused { session, number, operation: request.operation_digest(), reason };
        self.actions.send.push(Outgoing::Client { to: client, message: ReplicaMessage::Refused(refused) });
    }

    /// A backup hands a request on to the primary; to everybody while it suspects the primary.
    fn forward(&mut self, id: RequestId, pause: Duration) {
        if self.is_primary() || Mutant::RequestNotForwarded.lives() {
            return;
        }
        if !self.pool.set_forwarded(&id, self.now.monotonic, self.progress.new_requests(), pause) {
            return;
        }
        let to = if self.suspicion.is_some() { Recipients::Others } else { Recipients::One(self.primary()) };
        if let Some(request) = self.pool.get(&id) {
            let message = Message::Forward(request.clone());
            self.actions.send.push(Outgoing::Replica { to, message });
            self.notice(Notice::RequestForwarded(id));
        }
    }

    /// Hands on the oldest waiting requests: another primary leads, or the one that leads is suspected.
    pub(super) fn forward_waiting(&mut self) {
        let waiting: Vec<_> = self.pool.waiting_ids().take(FORWARDED_AT_ONCE).collect();
        for id in waiting {
            self.forward(id, self.config().status_period(false));
        }
    }

    /// Hands on again what has waited for half of T: the primary may have had no room for it, and must not be suspected
    /// for what it does not know.
    pub(super) fn repeat_forwarding(&mut self) {
        let pause = self.timers.timeout() / 2;
        if self.pool.oldest_waiting().is_some_and(|since| self.now.monotonic.since(since) >= pause) {
            let waiting: Vec<_> = self.pool.waiting_ids().take(FORWARDED_AT_ONCE).collect();
            for id in waiting {
                self.forward(id, pause);
            }
        }
    }

    /// The primary assigns batches by self-clocking: while fewer than `pipeline_depth` slots are in flight, and the
    /// pool holds a full batch, its oldest request has waited `batch_delay`, or nothing is in flight.
    pub(super) fn propose(&mut self) {
        while self.may_propose() && self.batch_deadline().is_some_and(|due| due <= self.now.monotonic) {
            let limits = *self.limits();
            let requests = self.pool.take_batch(&limits, self.next_seq);
            self.propose_batch(Batch::new(self.now.wall, requests));
        }
        // A member that must come past a slot before it may vote again waits for it in vain when nobody asks for anything.
        while self.next_seq <= self.readmission_goal() && self.pool.waiting() == 0 && self.has_room_to_propose() {
            self.propose_batch(Batch::new(self.now.wall, Vec::new()));
        }
        self.notice_full_window();
    }

    fn notice_full_window(&mut self) {
        let high = self.window.high();
        if self.next_seq > high && self.stalled_at != high && self.pool.waiting() > 0 && self.is_leading() {
            self.stalled_at = high;
            self.notice(Notice::WindowFull { high });
        }
    }

    fn propose_batch(&mut self, batch: Batch) {
        let seq = self.next_seq;
        let header = self.sign(PrePrepare { view: self.view, seq, digest: batch.digest(seq) });
        let slot = self.window.slot_mut(seq).expect("may_propose has checked the window");
        let accepted = slot.accept(header.clone(), Some(batch.clone()), Origin::Fresh);
        assert_eq!(accepted, Accepted::New, "a primary assigns a slot once in its view");
        self.next_seq = seq.next();
        self.notice(Notice::Proposed { seq, requests: batch.requests().len() });
        self.persist_acceptance(seq, &header);
        self.broadcast(Message::PrePrepare(Proposal { header, batch: Some(batch) }));
        self.advance_slot(seq);
    }

    fn may_propose(&self) -> bool {
        self.pool.waiting() > 0 && self.has_room_to_propose()
    }

    fn has_room_to_propose(&self) -> bool {
        self.is_leading()
            && self.window.contains(self.next_seq)
            && self.in_flight() < self.config().pipeline_depth
            && self.unexecuted_bytes() < self.config().window_bytes_max
    }

    fn in_flight(&self) -> u64 {
        self.next_seq.previous().since(self.progress.ordered())
    }

    fn unexecuted_bytes(&self) -> u64 {
        self.window.slots_after(self.progress.executed()).map(|(_, slot)| slot.body_bytes()).sum()
    }

    /// When the next batch is due; `None` while none may be proposed.
    pub(super) fn batch_deadline(&self) -> Option<Instant> {
        if !self.may_propose() {
            return None;
        }
        let oldest = self.pool.oldest_waiting()?;
        let is_full = self.pool.waiting() as u64 >= self.limits().batch_requests_max;
        if is_full || self.in_flight() == 0 { Some(oldest) } else { Some(oldest.plus(self.config().batch_delay())) }
    }

    /// Accepts the primary's assignment of a batch to a slot (PBFT, section 4.2: conditions on PRE-PREPARE).
    pub(super) fn on_pre_prepare(&mut self, proposal: Proposal) -> Result<(), Rejection> {
        let Proposal { header, batch } = proposal;
        let PrePrepare { view, seq, .. } = header.payload;
        self.require_following()?;
        self.require_foreign(header.signer)?;
        self.require_view(view)?;
        if !self.is_active() {
            return Err(Rejection::ViewInactive);
        }
        self.window.require(seq)?;
        if self.is_settled(seq) {
            return Err(Rejection::Duplicate);
        }
        let is_known = self.window.slot(seq).and_then(|slot| slot.accepted_in(view)).is_some();
        if seq <= self.assigned_through && !is_known {
            return Err(Rejection::AssignedByNewView { seq });
        }
        if batch.is_none() && !is_known {
            return Err(Rejection::BodyMissing);
        }
        let slot = self.window.slot_mut(seq)?;
        match slot.accept(header.clone(), batch, Origin::Fresh) {
            Accepted::New => {
                self.mark_proposed(seq);
                if self.is_vote_delayed(seq) {
                    self.notice(Notice::VoteDelayed { seq });
                }
                self.advance_slot(seq);
                Ok(())
            }
            Accepted::Unchanged => {
                self.advance_slot(seq);
                Ok(())
            }
            Accepted::Old => Err(Rejection::OldView { view, current: self.view }),
            Accepted::Equivocated { first } => {
                let signer = header.signer;
                self.evidence(Evidence::PrePrepares(first, header));
                Err(Rejection::Equivocation { signer, seq })
            }
        }
    }

    /// Counts a backup's Prepare.
    pub(super) fn on_prepare(&mut self, vote: Signed<Prepare>) -> Result<(), Rejection> {
        let Prepare { view, seq, .. } = vote.payload;
        self.require_foreign(vote.signer)?;
        self.require_view(view)?;
        match self.window.slot_mut(seq)?.prepares.record(vote.clone()) {
            Recorded::New => {
                self.advance_slot(seq);
                Ok(())
            }
            Recorded::Unchanged => Err(Rejection::Duplicate),
            Recorded::Equivocated { first } => {
                let signer = vote.signer;
                self.evidence(Evidence::Prepares(first, vote));
                Err(Rejection::Equivocation { signer, seq })
            }
        }
    }

    /// Counts a Commit. One of an earlier view counts too: what a quorum committed there is committed.
    pub(super) fn on_commit(&mut self, vote: Signed<Commit>) -> Result<(), Rejection> {
        let Commit { view, seq, .. } = vote.payload;
        self.require_foreign(vote.signer)?;
        if view > self.view {
            return Err(Rejection::FutureView { view, current: self.view });
        }
        match self.window.slot_mut(seq)?.commits.record(vote.clone()) {
            Recorded::New => {
                self.advance_slot(seq);
                Ok(())
            }
            Recorded::Unchanged => Err(Rejection::Duplicate),
            Recorded::Equivocated { first } => {
                let signer = vote.signer;
                self.evidence(Evidence::Commits(first, vote));
                Err(Rejection::Equivocation { signer, seq })
            }
        }
    }

    fn require_view(&self, view: View) -> Result<(), Rejection> {
        let current = self.view;
        match view.cmp(&current) {
            std::cmp::Ordering::Less => Err(Rejection::OldView { view, current }),
            std::cmp::Ordering::Greater => Err(Rejection::FutureView { view, current }),
            std::cmp::Ordering::Equal => Ok(()),
        }
    }

    /// What an accepted batch contains waits no more, unless another batch is committed in its slot.
    fn mark_proposed(&mut self, seq: SeqNum) {
        let slot = self.window.slot(seq).filter(|slot| slot.overruled_batch().is_none());
        let batch = slot.and_then(Slot::accepted_batch).cloned();
        for request in batch.iter().flat_map(|batch| batch.requests()) {
            self.pool.set_proposed(&request.id, seq);
        }
    }

    /// The only place where a slot makes progress. Each step is taken as soon as it is possible, and once.
    pub(super) fn advance_slot(&mut self, seq: SeqNum) {
        if self.is_active() && self.window.contains(seq) && !self.is_vote_delayed(seq) {
            self.prepare_slot(seq);
            self.commit_slot(seq);
        }
        self.certify_slot(seq);
        self.hand_over_committed();
    }

    /// A backup that has accepted an assignment and its batch says so.
    fn prepare_slot(&mut self, seq: SeqNum) {
        let (view, id) = (self.view, self.id());
        let Some(slot) = self.window.slot(seq) else { return };
        let Some(header) = slot.accepted_in(view).cloned() else { return };
        let has_voted = slot.prepares.of(id).is_some_and(|own| own.payload.view == view);
        let may_vote = self.fitness.may_vote(view, seq);
        if header.signer == id || has_voted || !may_vote || !slot.has_content(header.payload.digest) {
            return;
        }
        let vote = self.sign(Prepare { view, seq, digest: header.payload.digest });
        self.persist_acceptance(seq, &header);
        self.record_own_prepare(vote.clone());
        self.broadcast(Message::Prepare(vote));
    }

    /// prepared(v, s, D): the PrePrepare and Prepares of Q-1 distinct backups. Then, and only then, the Commit.
    fn commit_slot(&mut self, seq: SeqNum) {
        let (view, prepares) = (self.view, self.committee().quorum() - 1);
        let prepares = if Mutant::CommitWithoutPrepared.lives() { 0 } else { prepares };
        let Some(slot) = self.window.slot(seq) else { return };
        let Some(header) = slot.accepted_in(view).cloned() else { return };
        let digest = header.payload.digest;
        if !self.fitness.may_vote(view, seq) {
            return;
        }
        if slot.prepared().is_some_and(|known| known.view() == view) || !slot.has_content(digest) {
            return;
        }
        let Some(prepares) = slot.prepares.signatures(view, digest, prepares) else { return };
        let certificate = PreparedCertificate { pre_prepare: header, prepares };
        let vote = self.sign(Commit { view, seq, digest });
        if let Some(slot) = self.window.known_mut(seq) {
            slot.set_prepared(certificate.clone());
            let recorded = slot.commits.record(vote.clone());
            assert!(!matches!(recorded, Recorded::Equivocated { .. }), "a replica commits one batch in a view");
        }
        // A re-proposal's primary assigns it before it has the body.
        self.persist_batch(seq, digest);
        self.persist(JournalRecord::Prepared(certificate));
        self.broadcast(Message::Commit(vote));
        self.notice(Notice::Prepared { view, seq });
    }

    /// committed: Q distinct equal Commits of one view, whatever this replica itself accepted.
    fn certify_slot(&mut self, seq: SeqNum) {
        let (quorum, weak_quorum) = (self.committee().quorum(), self.committee().weak_quorum());
        let quorum = if Mutant::CommitAtWeakQuorum.lives() { weak_quorum } else { quorum };
        let Some(slot) = self.window.slot(seq) else { return };
        if slot.committed().is_some() {
            return;
        }
        let certificate = slot.commits.iter().find_map(|vote| {
            let commits = slot.commits.signatures(vote.payload.view, vote.payload.digest, quorum)?;
            Some(CommitCertificate { commit: vote.payload, commits })
        });
        if let Some(certificate) = certificate {
            self.set_committed(certificate);
        }
    }

    /// Takes a valid commit certificate of a slot in the window. A settled slot needs none: it was executed.
    pub(super) fn set_committed(&mut self, certificate: CommitCertificate) {
        let Commit { view, seq, digest } = certificate.commit;
        if self.is_settled(seq) {
            return;
        }
        let Some(slot) = self.window.known_mut(seq) else { return };
        let is_new = slot.committed().is_none();
        if let Err(first) = slot.set_committed(certificate.clone()) {
            self.halt(Evidence::CommitCertificates(first, certificate));
            return;
        }
        if is_new {
            self.timers.progress_at = self.now.monotonic;
            self.notice(Notice::Committed { view, seq, digest });
        }
    }

    /// Execution is in order: committed slots go to the executor as soon as all before them went.
    pub(super) fn hand_over_committed(&mut self) {
        while self.may_execute() {
            let seq = self.progress.ordered().next();
            let Some(committed) = self.window.slot(seq).and_then(|slot| slot.ready()) else { return };
            let Some(slot) = self.window.known_mut(seq) else { return };
            let batch = slot.take_unjournalled(committed.digest);
            let certificate = slot.committed().cloned().expect("a slot is ready only when it is committed");
            slot.set_handed_over();
            // After the state was set back the journal holds the slot already.
            if self.progress.set_ordered(seq) == Ordered::New {
                if let Some(batch) = batch {
                    self.persist(JournalRecord::Batch { seq, batch });
                }
                self.persist(JournalRecord::Committed(certificate));
            }
            self.release_overruled(seq);
            self.actions.execute.push(Order::Apply(committed));
            if Mutant::ExecutionOutOfOrder.lives() {
                self.actions.execute.rotate_right(1);
            }
        }
    }

    /// Another batch than the accepted one is committed: the requests of that one wait again, unless a later slot has
    /// them. Its primary has said different things to different members and may never propose them again.
    fn release_overruled(&mut self, seq: SeqNum) {
        let Some(overruled) = self.window.slot(seq).and_then(Slot::overruled_batch).cloned() else { return };
        for request in overruled.requests() {
            self.pool.release(&request.id, seq);
        }
    }

    /// What the assignments of this view contain after a slot is proposed.
    pub(super) fn mark_proposed_after(&mut self, seq: SeqNum) {
        let later = self.window.slots_after(seq).filter(|(_, slot)| slot.accepted_in(self.view).is_some());
        let later: Vec<_> = later.map(|(seq, _)| seq).collect();
        for seq in later {
            self.mark_proposed(seq);
        }
    }

    /// The executor has executed a batch: the only thing that comes back.
    pub(super) fn on_executed(&mut self, batch: ExecutedBatch) {
        let ExecutedBatch { seq, chain, requests, root } = batch;
        let (width, kept) = (self.limits().client_window, self.limits().window());
        self.progress.set_executed(seq, chain, kept);
        self.timers.progress_at = self.now.monotonic;
        let mut executed = 0;
        for request in &requests {
            self.pool.remove(&request.id);
            if request.executed {
                executed += 1;
                let window = self.progress.record(&request.id, width);
                self.pool.remove_outdated(request.id.client, window);
            }
        }
        if let Some(slot) = self.window.known_mut(seq) {
            slot.forget_executed_batch();
        }
        if executed > 0 {
            self.timers.on_new_execution(self.now.monotonic);
        }
        self.notice(Notice::Executed { seq, requests: executed, chain });
        if let Some(root) = root {
            self.take_checkpoint(seq, root);
        }
        self.compare_checkpoint();
    }

    /// What must be durable before this replica's PrePrepare or Prepare leaves.
    pub(super) fn persist_acceptance(&mut self, seq: SeqNum, header: &Signed<PrePrepare>) {
        self.persist_batch(seq, header.payload.digest);
        self.persist(JournalRecord::PrePrepared(header.clone()));
    }

    /// Journals a batch that is here and not yet there, before what names it.
    fn persist_batch(&mut self, seq: SeqNum, digest: Digest) {
        let batch = self.window.known_mut(seq).and_then(|slot| slot.take_unjournalled(digest));
        if let Some(batch) = batch {
            self.persist(JournalRecord::Batch { seq, batch });
        }
    }

    pub(super) fn record_own_prepare(&mut self, vote: Signed<Prepare>) {
        if let Some(slot) = self.window.known_mut(vote.payload.seq) {
            let recorded = slot.prepares.record(vote);
            assert!(!matches!(recorded, Recorded::Equivocated { .. }), "a replica prepares one batch in a view");
        }
    }

    /// Whether the vote on a fresh proposal waits, because its time is too far ahead of this replica's clock.
    fn is_vote_delayed(&self, seq: SeqNum) -> bool {
        self.vote_delay(seq).is_some()
    }

    /// When the vote on a delayed slot is due.
    fn vote_delay(&self, seq: SeqNum) -> Option<Instant> {
        let slot = self.window.slot(seq)?;
        let header = slot.accepted_in(self.view)?;
        let is_fresh = slot.origin() == Some(Origin::Fresh) && header.signer != self.id();
        let has_voted = slot.prepares.of(self.id()).is_some_and(|own| own.payload.view == self.view);
        let batch = slot.accepted_batch().filter(|_| is_fresh && !has_voted)?;
        let latest = self.now.wall.plus(self.config().clock_drift_max());
        (batch.time() > latest).then(|| self.now.monotonic.plus(batch.time().since(latest)))
    }

    fn delayed_slots(&self) -> impl Iterator<Item = (SeqNum, Instant)> + '_ {
        let slots = self.window.slots_after(self.progress.ordered());
        slots.filter_map(|(seq, _)| self.vote_delay(seq).map(|due| (seq, due)))
    }

    pub(super) fn vote_deadline(&self) -> Option<Instant> {
        self.delayed_slots().map(|(_, due)| due).min()
    }

    /// Votes on the slots whose delay has ended. A delay ends by the wall clock; nothing else reports it.
    pub(super) fn vote_on_delayed(&mut self) {
        let (id, view) = (self.id(), self.view);
        if !self.is_active() || self.is_primary() {
            return;
        }
        let unvoted = |slot: &Slot| {
            slot.accepted_in(view).is_some_and(|header| slot.has_content(header.payload.digest))
                && slot.prepares.of(id).is_none_or(|own| own.payload.view != view)
        };
        let slots = self.window.slots_after(self.progress.ordered());
        let due: Vec<_> = slots.filter(|(_, slot)| unvoted(slot)).map(|(seq, _)| seq).collect();
        for seq in due {
            self.advance_slot(seq);
        }
    }
}
