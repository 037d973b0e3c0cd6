//! The view change (PBFT, section 4.4): asking for another view, proving it, entering it.

use quorate_crypto::Digest;

use super::actions::JournalRecord;
use super::new_view::{Plan, plan};
use super::notice::{Evidence, Notice, ViewChangeCause};
use super::promises::{EnteredView, Promises, Recovery};
use super::rejection::Rejection;
use super::replica::{Phase, Replica};
use super::slot::{Accepted, Origin};
use super::view_changes::{PendingNewView, ViewChangeRecorded};
use crate::batch::{Batch, null_digest};
use crate::client_window::Admission;
use crate::messages::{CheckpointCertificate, Message, NewView, PrePrepare, PreparedCertificate, Signed, ViewChange};
use crate::mutants::Mutant;
use crate::types::{Instant, ReplicaId, SeqNum, View};

/// So many certificates in an answer count as one more question.
const CERTIFICATES_PER_QUESTION: usize = 16;

impl Replica {
    /// Asks for `target`: from here on no vote in lower views. Commits and certificates of lower views still count.
    pub(super) fn begin_view_change(&mut self, target: View, cause: ViewChangeCause) {
        if target <= self.own_target() || !self.fitness.may_ask_for(target, self.window.low()) {
            return;
        }
        let is_fruitless = !self.timers.is_fruitful && self.timers.waiting_since.is_some();
        if is_fruitless || self.phase != Phase::Active {
            self.timers.back_off();
        }
        let view_change = self.sign(ViewChange {
            target,
            stable: self.checkpoints.stable().cloned(),
            prepared: self.window.slots().filter_map(|(_, slot)| slot.prepared().cloned()).collect(),
        });
        self.phase = Phase::ViewChanging { target };
        self.suspicion = None;
        self.timers.phase_since = self.now.monotonic;
        self.timers.new_view_since = None;
        self.timers.status_due = self.now.monotonic;
        self.view_changes.record(view_change.clone());
        self.notice(Notice::ViewChangeStarted { target, cause });
        self.persist(JournalRecord::ViewChangeSent(view_change.clone()));
        self.broadcast(Message::ViewChange(view_change));
        self.advance_view_change();
    }

    /// A member asks for another view.
    pub(super) fn on_view_change(&mut self, view_change: Signed<ViewChange>) -> Result<(), Rejection> {
        let (signer, target) = (view_change.signer, view_change.payload.target);
        if signer == self.id() {
            return self.on_own_view_change(view_change);
        }
        if target <= self.view {
            return Err(Rejection::OldView { view: target, current: self.view });
        }
        let stable = view_change.payload.stable.clone();
        self.last_votes.keep_view_change(&view_change);
        if self.view_changes.record(view_change) == ViewChangeRecorded::Unchanged {
            return Err(Rejection::Duplicate);
        }
        if stable.is_some_and(|certificate| self.checkpoints.record_certificate(certificate)) {
            self.compare_checkpoint();
        }
        self.resume_view_change();
        self.retry_pending_new_views();
        Ok(())
    }

    /// A ViewChange that this replica has signed and lost comes back when a NewView rests on it. It takes part in the
    /// proof of that view and in nothing else.
    fn on_own_view_change(&mut self, view_change: Signed<ViewChange>) -> Result<(), Rejection> {
        if self.fitness.recovery() == Recovery::Complete || !self.view_changes.record_needed(view_change) {
            return Err(Rejection::Duplicate);
        }
        self.retry_pending_new_views();
        Ok(())
    }

    /// What follows from the ViewChanges that are here. They may have come while this replica could not ask for a
    /// view, or before it entered this one.
    pub(super) fn resume_view_change(&mut self) {
        let (primary, next) = (self.primary(), self.view.next());
        let has_asked = |signed: &Signed<ViewChange>| signed.signer != self.id() && signed.payload.target == next;
        if self.phase == Phase::Active && self.view_changes.latest(primary).is_some_and(has_asked) {
            self.begin_view_change(next, ViewChangeCause::PrimaryAsked);
        }
        self.advance_view_change();
    }

    /// What may follow from a new ViewChange: joining the others, leading the view, or the clock for its NewView.
    fn advance_view_change(&mut self) {
        let joined = self.view_changes.nth_largest_target(self.id(), self.committee().weak_quorum());
        if let Some(target) = joined.filter(|target| *target > self.own_target() && !Mutant::NoJoin.lives()) {
            self.begin_view_change(target, ViewChangeCause::Join);
            return;
        }
        let Phase::ViewChanging { target } = self.phase else { return };
        if !self.fitness.may_ask_for(target, self.window.low()) {
            return; // It stopped after it had asked: it leads nothing.
        }
        let quorum = self.committee().quorum();
        if self.committee().primary(target) == self.id() && self.view_changes.for_target(target).count() >= quorum {
            self.lead(target);
        } else if self.timers.new_view_since.is_none() && self.view_changes.count_from(target) >= quorum {
            self.timers.new_view_since = Some(self.now.monotonic);
        }
    }

    /// The primary of `target` proves the view with Q ViewChanges and enters it.
    fn lead(&mut self, target: View) {
        let quorum = self.committee().quorum();
        let view_changes: Vec<_> = self.view_changes.for_target(target).take(quorum).cloned().collect();
        let plan = match plan(view_changes.iter().map(|signed| &signed.payload)) {
            Ok(plan) => plan,
            Err(conflict) => {
                self.halt(Evidence::PreparedCertificates(conflict.0, conflict.1));
                return;
            }
        };
        let assign = |(seq, digest): &(SeqNum, _)| self.sign(PrePrepare { view: target, seq: *seq, digest: *digest });
        let new_view = NewView {
            target,
            view_changes: view_changes.iter().map(|signed| (signed.signer, signed.digest())).collect(),
            pre_prepares: plan.assignments.iter().map(assign).collect(),
        };
        let new_view = self.sign(new_view);
        if self.contradicts_committed(&new_view) {
            return;
        }
        self.broadcast(Message::NewView(new_view.clone()));
        self.enter_view(EnteredView { new_view, view_changes }, &plan);
    }

    /// The primary of a later view proves it.
    pub(super) fn on_new_view(&mut self, from: ReplicaId, new_view: Signed<NewView>) -> Result<(), Rejection> {
        self.require_following()?;
        let target = new_view.payload.target;
        if target <= self.view || target < self.own_target() {
            return Err(Rejection::OldView { view: target, current: self.own_target() });
        }
        match self.view_changes.collect(&new_view.payload) {
            Ok(view_changes) => self.accept_new_view(EnteredView { new_view, view_changes }),
            Err(missing) => {
                let retry_at = self.now.monotonic.plus(self.config().status_period(false));
                self.view_changes.add_pending(PendingNewView { new_view, from, retry_at });
                self.ask_for_view_changes(from, missing);
                Ok(())
            }
        }
    }

    fn ask_for_view_changes(&mut self, from: ReplicaId, missing: Vec<(ReplicaId, Digest)>) {
        for (signer, digest) in missing {
            self.send(from, Message::FetchViewChange { signer, digest });
        }
    }

    /// Enters the view if its Q ViewChanges are all for exactly it and the recomputed assignments are identical.
    fn accept_new_view(&mut self, entered: EnteredView) -> Result<(), Rejection> {
        let new_view = &entered.new_view.payload;
        let (target, primary) = (new_view.target, entered.new_view.signer);
        let is_for_target = entered.view_changes.iter().all(|signed| signed.payload.target == target);
        let plan = match plan(entered.view_changes.iter().map(|signed| &signed.payload)) {
            Ok(plan) => plan,
            Err(conflict) => {
                self.halt(Evidence::PreparedCertificates(conflict.0, conflict.1));
                return Err(Rejection::NotVoting);
            }
        };
        let assigned = new_view.pre_prepares.iter().map(|header| (header.payload.seq, header.payload.digest));
        let is_as_planned = assigned.eq(plan.assignments.iter().copied()) || Mutant::ReProposalsTrusted.lives();
        if !is_for_target || !is_as_planned {
            self.view_changes.forget_pending(primary);
            return Err(Rejection::WrongReProposals);
        }
        if self.contradicts_committed(&entered.new_view) {
            return Err(Rejection::NotVoting);
        }
        self.enter_view(entered, &plan);
        Ok(())
    }

    /// Whether a valid NewView contradicts what is committed here: then more than f members are faulty.
    fn contradicts_committed(&mut self, new_view: &Signed<NewView>) -> bool {
        let contradiction = new_view.payload.pre_prepares.iter().find_map(|header| {
            let committed = self.window.slot(header.payload.seq)?.committed()?;
            (committed.digest() != header.payload.digest).then(|| committed.clone())
        });
        match contradiction {
            Some(committed) => {
                self.halt(Evidence::ContradictsCommitted(new_view.clone(), committed));
                true
            }
            None => false,
        }
    }

    fn enter_view(&mut self, entered: EnteredView, plan: &Plan) {
        let view = entered.new_view.payload.target;
        assert!(view > self.view && view >= self.own_target(), "views only rise");
        self.persist(JournalRecord::ViewEntered(entered.clone()));
        for stable in entered.view_changes.iter().filter_map(|signed| signed.payload.stable.clone()) {
            self.checkpoints.record_certificate(stable);
        }
        self.view = view;
        self.phase = Phase::Active;
        self.entered = Some(entered);
        self.assigned_through = plan.max_s;
        self.next_seq = plan.max_s.next().max(self.window.low().next());
        self.suspicion = None;
        self.view_changes.forget_up_to(view);
        self.restart_timers();
        let is_null = |(seq, digest): &&(SeqNum, _)| *digest == null_digest(*seq);
        let null_filled = plan.assignments.iter().filter(is_null).count();
        let re_proposed = plan.assignments.len() - null_filled;
        self.notice(Notice::ViewEntered { view, re_proposed, null_filled });
        self.release_requests();
        self.install_re_proposals();
        self.compare_checkpoint();
        self.forward_waiting();
        // Its primary may have handed it on already.
        self.resume_view_change();
    }

    fn restart_timers(&mut self) {
        let now = self.now.monotonic;
        self.timers.phase_since = now;
        self.timers.new_view_since = None;
        self.timers.waiting_since = None;
        self.timers.status_due = now;
        self.timers.is_fruitful = false;
    }

    /// Requests that were proposed in earlier views wait again, those of bodies that came with a proposal included;
    /// what is re-proposed is marked again when it is accepted.
    fn release_requests(&mut self) {
        self.pool.release_all();
        self.pool.restart_forwarded();
        let bodies: Vec<Batch> = self
            .window
            .slots_after(self.progress.ordered())
            .flat_map(|(_, slot)| slot.batches().map(|(_, batch)| batch.clone()))
            .collect();
        let width = self.limits().client_window;
        for request in bodies.iter().flat_map(Batch::requests) {
            if self.progress.admit(&request.id, width) == Admission::New {
                self.pool.add(request.clone(), self.now.monotonic);
            }
        }
    }

    /// Accepts the assignments of the NewView that lie in the window. Executed slots are voted on again, not executed
    /// again; nothing is voted on at or below the low watermark.
    pub(super) fn install_re_proposals(&mut self) {
        let Some(entered) = &self.entered else { return };
        let view = entered.new_view.payload.target;
        let headers: Vec<_> = entered
            .new_view
            .payload
            .pre_prepares
            .iter()
            .filter(|header| self.window.contains(header.payload.seq) && !self.is_settled(header.payload.seq))
            .filter(|header| self.window.slot(header.payload.seq).is_none_or(|slot| slot.accepted_in(view).is_none()))
            .cloned()
            .collect();
        for header in headers {
            self.install_re_proposal(header);
        }
    }

    fn install_re_proposal(&mut self, header: Signed<PrePrepare>) {
        let seq = header.payload.seq;
        let Ok(slot) = self.window.slot_mut(seq) else { return };
        let accepted = slot.accept(header.clone(), None, Origin::ReProposed);
        assert_eq!(accepted, Accepted::New, "nothing of a view is accepted before its NewView");
        let proposed: Vec<_> =
            slot.accepted_batch().iter().flat_map(|batch| batch.requests()).map(|request| request.id).collect();
        for id in proposed {
            self.pool.set_proposed(&id, seq);
        }
        // A primary that has left the view meanwhile assigns nothing in it any more.
        if header.signer == self.id() && self.phase == Phase::Active {
            self.persist_acceptance(seq, &header);
        }
        self.advance_slot(seq);
    }

    /// NewViews that waited for a ViewChange.
    fn retry_pending_new_views(&mut self) {
        if !self.fitness.may_follow() {
            return;
        }
        let pending: Vec<_> = self.view_changes.pending().map(|pending| pending.new_view.clone()).collect();
        for new_view in pending {
            let target = new_view.payload.target;
            if target <= self.view || target < self.own_target() {
                self.view_changes.forget_pending(new_view.signer);
            } else if let Ok(view_changes) = self.view_changes.collect(&new_view.payload) {
                let signer = new_view.signer;
                let result = self.accept_new_view(EnteredView { new_view, view_changes });
                if let Err(reason) = result {
                    self.notice(Notice::Rejected { from: signer, kind: "new_view", reason });
                }
            }
        }
    }

    /// Asks again for the ViewChanges that pending NewViews lack.
    pub(super) fn repeat_view_change_questions(&mut self) {
        let (now, pause) = (self.now.monotonic, self.config().status_period(false));
        let mut due = Vec::new();
        for pending in self.view_changes.pending_mut().filter(|pending| pending.retry_at <= now) {
            pending.retry_at = now.plus(pause);
            due.push((pending.from, pending.new_view.clone()));
        }
        for (from, new_view) in due {
            if let Err(missing) = self.view_changes.collect(&new_view.payload) {
                self.ask_for_view_changes(from, missing);
            }
        }
    }

    /// When the NewView is late, or a pending one asks again.
    pub(super) fn new_view_deadline(&self) -> Option<Instant> {
        let late = self.timers.new_view_since.map(|since| since.plus(self.timers.timeout()));
        let retry = self.view_changes.pending().map(|pending| pending.retry_at).min();
        late.into_iter().chain(retry).min()
    }

    /// The NewView did not come in time: ask for the next view.
    pub(super) fn move_late_view_change(&mut self) {
        let late = self.timers.new_view_since.map(|since| since.plus(self.timers.timeout()));
        if let Phase::ViewChanging { target } = self.phase
            && late.is_some_and(|late| late <= self.now.monotonic)
        {
            // A deadline that stayed behind would wake a replica without end that cannot ask for the next view.
            self.timers.new_view_since = Some(self.now.monotonic);
            self.begin_view_change(target.next(), ViewChangeCause::NewViewLate);
        }
        self.repeat_view_change_questions();
    }

    /// A peer that has a NewView lacks one of its ViewChanges.
    pub(super) fn on_fetch_view_change(
        &mut self,
        from: ReplicaId,
        signer: ReplicaId,
        digest: Digest,
    ) -> Result<(), Rejection> {
        self.require_question(from)?;
        let kept = self.entered.iter().flat_map(|entered| &entered.view_changes);
        let mut entered = kept.filter(|signed| signed.signer == signer);
        let found = self.view_changes.find(signer, digest).or_else(|| entered.find(|signed| signed.digest() == digest));
        match found.cloned() {
            Some(view_change) => {
                let certificates = view_change.payload.prepared.len() / CERTIFICATES_PER_QUESTION;
                if let Some(peer) = self.peers.get_mut(from) {
                    peer.charge(u32::try_from(certificates).unwrap_or(u32::MAX));
                }
                self.send(from, Message::ViewChange(view_change));
                Ok(())
            }
            None => Err(Rejection::NotAskedFor),
        }
    }

    /// Restores the view and the own ViewChange.
    pub(super) fn restore_view(&mut self, promises: Promises) {
        if let Some(entered) = promises.entered {
            // The journal holds a NewView that was checked before it was written.
            let last = entered.new_view.payload.pre_prepares.last().map(|header| header.payload.seq);
            let stable = entered.view_changes.iter().filter_map(|signed| signed.payload.stable.as_ref());
            let min_s = stable.map(CheckpointCertificate::seq).max().unwrap_or_default();
            self.assigned_through = last.unwrap_or(min_s);
            self.entered = Some(entered);
        }
        if let Some(view_change) = promises.view_change.filter(|signed| signed.payload.target > self.view) {
            self.phase = Phase::ViewChanging { target: view_change.payload.target };
            self.view_changes.record(view_change);
        }
        let accepted = self.window.slots().filter(|(_, slot)| slot.accepted_in(self.view).is_some());
        let proposed = accepted.map(|(seq, _)| seq).max().unwrap_or_default();
        self.next_seq = proposed.max(self.assigned_through).max(self.window.low()).next();
        self.install_re_proposals();
    }

    /// The prepared certificates that bind this replica, for observers.
    pub fn prepared(&self) -> impl Iterator<Item = &PreparedCertificate> {
        self.window.slots().filter_map(|(_, slot)| slot.prepared())
    }
}
