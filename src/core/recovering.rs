//! Coming back: what this replica has signed before it ended binds it, even what its disk has forgotten.
//!
//! 1. After any start it signs nothing until Q-1 members have said what they hold with its signature. This is detection,
//!    not a guarantee: a home that was set back counts towards f.
//! 2. A replica whose journal or whose peers show that promises are lost keeps clear of bounds: V, the highest view it
//!    may have entered or asked for, and U, the highest slot it may have voted at. It signs no vote in a view < V or at a
//!    slot ≤ U, no NewView or ViewChange for a target ≤ V, and no ViewChange at all before its low watermark is ≥ U,
//!    because the certificates that it would have to name are lost with the rest.
//! 3. It is whole again when its low watermark is ≥ U and it has entered a view ≥ V: whatever it signed lies below.
//! 4. In an idle cluster nobody would ever come to U: the primary proposes empty batches ([`suspecting`](super::suspecting)).

use super::actions::JournalRecord;
use super::event::Space;
use super::fitness::Answer;
use super::notice::{LostPromises, Notice};
use super::promises::Recovery;
use super::rejection::Rejection;
use super::replica::Replica;
use crate::messages::{Bounds, Commit, HeldVotes, Message, PrePrepare, Prepare, Signed, ViewChange};
use crate::types::{Instant, ReplicaId, SeqNum, View};

/// How far above the highest proven view a lost ViewChange may have been: a replica asks for the view after one that was
/// entered or asked for by others, and that one may not have come to those who answer.
const VIEWS_BEYOND_PROVEN: u64 = 2;
/// How many windows above the highest certified checkpoint a lost vote may have been: the certificate that raised the
/// own window may not have come to those who answer, whose own windows reach as far.
const WINDOWS_BEYOND_CERTIFIED: u64 = 2;

impl Replica {
    /// Asks, learns and ends, as far as that is due.
    pub(super) fn recover_promises(&mut self) {
        self.ask_for_own_votes();
        self.learn_bounds();
        self.end_recovery();
    }

    /// When those who have not said what they hold are asked again.
    pub(super) fn inquiry_deadline(&self) -> Option<Instant> {
        self.fitness.wants_answers().then_some(self.fitness.ask_at)
    }

    fn ask_for_own_votes(&mut self) {
        let now = self.now.monotonic;
        if !self.fitness.wants_answers() || self.fitness.ask_at > now {
            return;
        }
        self.fitness.ask_at = now.plus(self.config().status_period(false));
        let signer = self.id();
        for member in self.fitness.ask(self.peers.iter().map(|(id, _)| id)) {
            self.send(member, Message::FetchVotes { signer });
        }
    }

    /// A peer wants what a member has signed.
    pub(super) fn on_fetch_votes(&mut self, from: ReplicaId, signer: ReplicaId) -> Result<(), Rejection> {
        self.require_question(from)?;
        let now = self.now.monotonic;
        if !self.peers.get_mut(from).is_some_and(|peer| peer.may_send_votes(now)) {
            return Err(Rejection::RateLimited);
        }
        // What the answer says of the own target is proven before it comes.
        let own = self.view_changes.latest(self.id()).filter(|own| own.payload.target > self.view).cloned();
        if let Some(own) = own {
            self.send(from, Message::ViewChange(own));
        }
        let votes = self.held_votes(signer);
        self.send(from, Message::Votes(votes));
        Ok(())
    }

    fn held_votes(&self, signer: ReplicaId) -> HeldVotes {
        let slots = || self.window.slots().map(|(_, slot)| slot);
        let latest = self.view_changes.latest(signer);
        let kept = self.last_votes.view_change(signer);
        let accepted = slots().filter_map(|slot| slot.accepted()).filter(|header| header.signer == signer);
        HeldVotes {
            signer,
            view: self.view,
            target: self.own_target(),
            certified: self.checkpoints.certified_seq(),
            pre_prepares: self.last_votes.pre_prepare(signer).into_iter().chain(accepted).cloned().collect(),
            prepares: last_and(self.last_votes.prepare(signer), slots().filter_map(|slot| slot.prepares.of(signer))),
            commits: last_and(self.last_votes.commit(signer), slots().filter_map(|slot| slot.commits.of(signer))),
            view_change: latest.into_iter().chain(kept).max_by_key(|signed| signed.payload.target).cloned(),
        }
    }

    /// A member says what it holds with this replica's signature.
    pub(super) fn on_votes(&mut self, from: ReplicaId, held: &HeldVotes) -> Result<(), Rejection> {
        let answer = Answer { view: held.view, target: held.target, certified: held.certified };
        let was_checking = self.fitness.is_checking();
        if held.signer != self.id() || !self.fitness.record_answer(from, answer) {
            return Err(Rejection::NotAskedFor);
        }
        if let Some(lost) = self.first_unknown(held) {
            self.notice(Notice::PromisesLost(lost));
            self.fitness.set_recovery(Recovery::Lost(None));
            self.persist(JournalRecord::RecoveryBegun(None));
        }
        if was_checking && !self.fitness.is_checking() {
            self.notice(Notice::StartChecked { recovery: self.fitness.recovery() });
            self.timers.phase_since = self.now.monotonic;
            self.timers.status_due = self.now.monotonic;
            self.resume_slots();
        }
        Ok(())
    }

    /// The first statement in an answer that this replica has signed and knows nothing of.
    ///
    /// A journal that was set back is a prefix of the one that was. Votes below the own view, or for an earlier target,
    /// stood in it before what is known; those in the own view and above the low watermark are compared one by one. No view
    /// is entered before the check ends, so that the own view is the one that the journal knew.
    fn first_unknown(&self, held: &HeldVotes) -> Option<LostPromises> {
        let unknown_vote = |view, seq| LostPromises::Vote { view, seq };
        let headers = held.pre_prepares.iter().filter(|vote| self.is_unknown_header(vote));
        let prepares = held.prepares.iter().filter(|vote| self.is_unknown_prepare(vote));
        let commits = held.commits.iter().filter(|vote| self.is_unknown_commit(vote));
        let headers = headers.map(|vote| unknown_vote(vote.payload.view, vote.payload.seq));
        let prepares = prepares.map(|vote| unknown_vote(vote.payload.view, vote.payload.seq));
        let commits = commits.map(|vote| unknown_vote(vote.payload.view, vote.payload.seq));
        let asked = held.view_change.iter().filter(|signed| self.is_unknown_view_change(signed));
        let asked = asked.map(|signed| LostPromises::ViewChange { target: signed.payload.target });
        headers.chain(prepares).chain(commits).chain(asked).next()
    }

    /// Whether a vote there must be known here.
    fn must_know(&self, view: View, seq: SeqNum) -> bool {
        let is_covered = match self.fitness.recovery() {
            Recovery::Complete => false,
            Recovery::Lost(None) => true,
            Recovery::Lost(Some(bounds)) => view < bounds.view || seq <= bounds.seq,
        };
        seq > self.window.low() && view >= self.view && !is_covered
    }

    fn is_unknown_header(&self, vote: &Signed<PrePrepare>) -> bool {
        let PrePrepare { view, seq, .. } = vote.payload;
        let accepted = self.window.slot(seq).and_then(|slot| slot.accepted_in(view));
        let entered = self.entered.iter().flat_map(|entered| &entered.new_view.payload.pre_prepares);
        let mut known = accepted.into_iter().chain(entered);
        self.must_know(view, seq) && !known.any(|header| header.payload == vote.payload)
    }

    fn is_unknown_prepare(&self, vote: &Signed<Prepare>) -> bool {
        let Prepare { view, seq, .. } = vote.payload;
        let own = self.window.slot(seq).and_then(|slot| slot.prepares.of(self.id()));
        self.must_know(view, seq) && own.is_none_or(|own| own.payload != vote.payload)
    }

    fn is_unknown_commit(&self, vote: &Signed<Commit>) -> bool {
        let Commit { view, seq, .. } = vote.payload;
        let own = self.window.slot(seq).and_then(|slot| slot.commits.of(self.id()));
        self.must_know(view, seq) && own.is_none_or(|own| own.payload != vote.payload)
    }

    fn is_unknown_view_change(&self, signed: &Signed<ViewChange>) -> bool {
        let target = signed.payload.target;
        let is_covered = match self.fitness.recovery() {
            Recovery::Complete => false,
            Recovery::Lost(None) => true,
            Recovery::Lost(Some(bounds)) => target <= bounds.view,
        };
        let own = self.view_changes.latest(self.id());
        let is_known = target <= self.view
            || own.is_some_and(|own| own.payload.target > target || own.digest() == signed.digest());
        !is_covered && !is_known
    }

    /// Q members have answered, and what they claim of themselves is proven: that bounds what was lost. A single claim
    /// proves nothing, so one that stays unproven is not waited for as long as Q others are there.
    fn learn_bounds(&mut self) {
        if self.fitness.recovery() != Recovery::Lost(None) {
            return;
        }
        // Whoever has asked for a later view enters none before it: the bounds begin there, whatever was entered below.
        let (view, certified) = (self.own_target(), self.checkpoints.certified_seq());
        let asks_for =
            |member, target| self.view_changes.latest(member).is_some_and(|signed| signed.payload.target >= target);
        let is_proven = |member, answer: &Answer| {
            let is_target_proven = answer.target <= view || asks_for(member, answer.target);
            answer.view <= view && answer.certified <= certified && is_target_proven
        };
        if self.fitness.answers_proven(is_proven) < self.committee().quorum() {
            return;
        }
        let asked = self.view_changes.nth_largest_target(self.id(), self.committee().weak_quorum());
        let proven = self.own_target().max(asked.unwrap_or_default());
        let slots = self.limits().window().saturating_mul(WINDOWS_BEYOND_CERTIFIED);
        let bounds = Bounds { view: proven.plus(VIEWS_BEYOND_PROVEN), seq: certified.plus(slots) };
        self.fitness.set_recovery(Recovery::Lost(Some(bounds)));
        self.persist(JournalRecord::RecoveryBegun(Some(bounds)));
        self.notice(Notice::RecoveryBounded { bounds });
        self.timers.status_due = self.now.monotonic;
    }

    fn end_recovery(&mut self) {
        let Some(bounds) = self.fitness.bounds() else { return };
        if self.window.low() < bounds.seq || self.view < bounds.view || self.fitness.is_checking() {
            return;
        }
        self.fitness.set_recovery(Recovery::Complete);
        self.persist(JournalRecord::RecoveryEnded);
        self.notice(Notice::Recovered { bounds });
        self.timers.status_due = self.now.monotonic;
        self.resume_slots();
    }

    /// There is too little room on the disk, or enough again.
    pub(super) fn on_disk(&mut self, space: Space) {
        if !self.fitness.set_space(space) {
            return;
        }
        self.notice(Notice::DiskSpace(space));
        self.timers.status_due = self.now.monotonic;
        if space == Space::Enough {
            self.timers.phase_since = self.now.monotonic;
            self.resume_slots();
        }
    }

    /// What kept this replica from voting or executing has ended: it takes every slot as far as it goes.
    pub(super) fn resume_slots(&mut self) {
        let open: Vec<_> = self.window.slots_after(self.progress.ordered()).map(|(seq, _)| seq).collect();
        for seq in open {
            self.advance_slot(seq);
        }
        self.compare_checkpoint();
        self.announce_checkpoints();
        self.resume_view_change();
    }
}

fn last_and<'a, P: Clone + 'a>(
    last: Option<&'a Signed<P>>,
    votes: impl Iterator<Item = &'a Signed<P>>,
) -> Vec<Signed<P>> {
    last.into_iter().chain(votes).cloned().collect()
}
