//! Catching up: Status and what it brings about, missing bodies, committed slots from the journals of others, and the
//! answers to those who ask. A replica that lags never slows down the others.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate_crypto::Digest;

use super::actions::{JournalRecord, Order, Outgoing};
use super::notice::Notice;
use super::peers::Peer;
use super::promises::Promises;
use super::rejection::Rejection;
use super::replica::{Phase, Replica};
use super::slot::Promised;
use crate::batch::{Batch, CommittedBatch};
use crate::client_window::ClientWindow;
use crate::messages::{
    ChainDigests, Checkpoint, Commit, CommitCertificate, CommittedSlot, Message, Prepare, Proposal, SlotProgress,
    Standing, Status,
};
use crate::types::{ClientId, Instant, ReplicaId, SeqNum};

/// How many slots one answer to a Status helps with, and how many bytes of batches it carries at most.
const SLOTS_AT_ONCE: usize = 32;
const BODY_BYTES_AT_ONCE: usize = 1 << 20;
/// How long an answer may take before another peer is asked.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long slots may stand still before the replica counts as stalled.
const STALLED_AFTER: Duration = Duration::from_millis(40);

/// What this replica has asked for. Invariant: at most one question for committed slots, and one for each missing body.
#[derive(Clone, Debug, Default)]
pub struct CatchUp {
    /// The peer that was asked for committed slots, and until when it may answer.
    committed: Option<(ReplicaId, Instant)>,
    /// The peer that was asked last: another one is next.
    last_asked: Option<ReplicaId>,
    /// The peers that were asked for the bodies of slots, and until when.
    bodies: BTreeMap<SeqNum, (ReplicaId, Instant)>,
    /// The certificates of slots that were handed over from beyond the window: the latest L.
    beyond: BTreeMap<SeqNum, CommitCertificate>,
}

impl Replica {
    /// Sends Status when it is due, sooner while something stands still.
    pub(super) fn send_due_status(&mut self) {
        if self.timers.status_due > self.now.monotonic || self.committee().size() == 1 {
            if self.committee().size() == 1 {
                self.timers.status_due = self.now.monotonic.plus(self.config().status_period(false));
            }
            return;
        }
        self.repeat_forwarding();
        let status = self.status();
        self.timers.status_due = self.now.monotonic.plus(self.config().status_period(self.is_stalled()));
        self.broadcast(Message::Status(status));
    }

    /// Where this replica stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let low = self.window.low();
        let last = self.window.slots().next_back().map_or(low, |(seq, _)| seq);
        let progress = |seq| self.window.slot(seq).map_or(SlotProgress::default(), |slot| slot.progress(self.view));
        Status {
            view: self.view,
            target: match self.phase {
                Phase::Active => None,
                Phase::ViewChanging { target } => Some(target),
            },
            suspects: self.suspicion.is_some(),
            standing: self.standing,
            stable: low,
            executed: self.progress.executed(),
            chain: self.progress.chain(),
            slots: low.up_to(last).map(progress).collect(),
        }
    }

    /// Whether something stands still that peers can help with.
    fn is_stalled(&self) -> bool {
        let stands_still = self.now.monotonic.since(self.timers.progress_at) >= STALLED_AFTER;
        let is_behind = |status: &Status| status.executed > self.progress.ordered() || status.view > self.view;
        let has_open_slots = self.window.slots_after(self.progress.ordered()).next().is_some();
        self.phase != Phase::Active
            || (stands_still && has_open_slots)
            || (stands_still && self.peers.iter().filter_map(|(_, peer)| peer.status()).any(is_behind))
    }

    /// A peer says where it stands: it gets what it lacks and this replica has.
    pub(super) fn on_status(&mut self, from: ReplicaId, status: Status) -> Result<(), Rejection> {
        let now = self.now.monotonic;
        let Some(peer) = self.peers.get_mut(from) else { return Err(Rejection::WrongSender) };
        let is_first_in_a_while = peer.may_ask(now);
        let before = peer.set_status(status.clone(), now);
        if !is_first_in_a_while {
            return Err(Rejection::RateLimited);
        }
        let stands_still = before.is_some_and(|before| {
            before.executed == status.executed && before.view == status.view && before.target == status.target
        });
        self.help_with_view(from, &status);
        self.help_with_checkpoint(from, &status, stands_still);
        if stands_still {
            self.help_with_slots(from, &status);
        }
        Ok(())
    }

    /// A peer in a lower view gets the proof of this one; one that could follow gets the own ViewChange.
    fn help_with_view(&mut self, to: ReplicaId, status: &Status) {
        let now = self.now.monotonic;
        let is_below = status.view < self.view;
        let own = match self.phase {
            Phase::ViewChanging { target } if status.view < target => self.view_changes.latest(self.id()).cloned(),
            Phase::ViewChanging { .. } | Phase::Active => None,
        };
        if !is_below && own.is_none() {
            return;
        }
        if !self.peers.get_mut(to).is_some_and(|peer| peer.may_send_view(now)) {
            return;
        }
        if let Some(entered) = self.entered.clone().filter(|_| is_below) {
            for view_change in entered.view_changes {
                self.send(to, Message::ViewChange(view_change));
            }
            self.send(to, Message::NewView(entered.new_view));
        }
        if let Some(view_change) = own {
            self.send(to, Message::ViewChange(view_change));
        }
    }

    /// A peer below the own checkpoints gets the certificate, or the own votes for those that are not certified yet.
    fn help_with_checkpoint(&mut self, to: ReplicaId, status: &Status, stands_still: bool) {
        if let Some(stable) = self.checkpoints.stable().filter(|stable| stable.seq() > status.stable).cloned() {
            self.send(to, Message::CheckpointCertificate(stable));
        }
        let certified = self.checkpoints.certified_seq().max(status.stable);
        let votes: Vec<_> =
            self.checkpoints.own().rev().filter(|own| own.payload.seq > certified).take(2).cloned().collect();
        for vote in votes.into_iter().filter(|_| stands_still || status.slots.is_empty()) {
            self.send(to, Message::Checkpoint(vote));
        }
    }

    /// A peer in the same view that makes no progress gets the assignments, bodies and votes that it lacks.
    fn help_with_slots(&mut self, to: ReplicaId, status: &Status) {
        if status.view != self.view {
            return;
        }
        let mut bytes = 0;
        let mut messages = Vec::new();
        let is_active = status.target.is_none();
        for (seq, slot) in self.window.slots_after(status.executed.max(status.stable)).take(SLOTS_AT_ONCE) {
            let place = usize::try_from(seq.since(status.stable).saturating_sub(1)).unwrap_or(usize::MAX);
            let there = status.slots.get(place).copied().unwrap_or_default();
            let accepted = slot.accepted_in(self.view).filter(|_| is_active);
            if let Some(header) = accepted.filter(|_| !there.pre_prepared || !there.has_body) {
                let batch = slot.batch(header.payload.digest).cloned();
                bytes += batch.as_ref().map_or(0, |batch| batch.body().len());
                if bytes > BODY_BYTES_AT_ONCE {
                    break;
                }
                messages.push(Message::PrePrepare(Proposal { header: header.clone(), batch }));
            }
            let prepare = slot.prepares.of(self.id()).filter(|vote| vote.payload.view == self.view);
            if let Some(vote) = prepare.filter(|_| is_active && !there.prepared) {
                messages.push(Message::Prepare(vote.clone()));
            }
            if let Some(vote) = slot.commits.of(self.id()).filter(|_| !there.committed) {
                messages.push(Message::Commit(vote.clone()));
            }
        }
        for message in messages {
            self.send(to, message);
        }
    }

    /// Asks for bodies that are named and missing, and for committed slots that others have executed.
    pub(super) fn fetch_what_is_missing(&mut self) {
        self.fetch_bodies();
        self.fetch_committed();
    }

    fn fetch_bodies(&mut self) {
        let now = self.now.monotonic;
        let slots = self.window.slots_after(self.progress.ordered());
        let missing: BTreeMap<_, _> =
            slots.filter_map(|(seq, slot)| slot.missing_content().map(|digest| (seq, digest))).collect();
        self.catch_up.bodies.retain(|seq, _| missing.contains_key(seq));
        for (seq, digest) in missing {
            let asked = self.catch_up.bodies.get(&seq).copied();
            if asked.is_some_and(|(_, until)| until > now) {
                continue;
            }
            let Some(peer) = self.peers.next_after(asked.map(|(peer, _)| peer), |_, _| true) else { return };
            self.catch_up.bodies.insert(seq, (peer, now.plus(PATIENCE)));
            self.send(peer, Message::FetchBatch { seq, digest });
        }
    }

    /// Asks one peer after the other for the committed slots behind the own ones, while it is clear that some are
    /// missing and those that came are being executed.
    fn fetch_committed(&mut self) {
        let now = self.now.monotonic;
        let ordered = self.progress.ordered();
        if self.catch_up.committed.is_some_and(|(_, until)| until > now) {
            return;
        }
        let goal = self.peers.iter().map(|(_, peer)| peer.executed()).max().unwrap_or_default();
        let is_far = goal.since(ordered) > self.config().pipeline_depth.max(self.limits().checkpoint_interval / 2);
        let stands_still = now.since(self.timers.progress_at) >= STALLED_AFTER;
        if goal <= ordered || self.is_digesting() || !(is_far || stands_still) {
            self.catch_up.committed = None;
            return;
        }
        let Some(peer) = self.peers.next_after(self.catch_up.last_asked, |_, peer| peer.executed() > ordered) else {
            return;
        };
        let to = self.peers.get(peer).map_or(ordered, Peer::executed);
        self.catch_up.committed = Some((peer, now.plus(PATIENCE)));
        self.catch_up.last_asked = Some(peer);
        self.notice(Notice::CatchingUp { from: peer, after: ordered, to });
        self.send(peer, Message::FetchCommitted { after: ordered, to });
    }

    /// Whether the executor has more than a window to execute: until then no more is asked for, and nothing above the
    /// window is taken from those who were not asked, so that they cannot fill its queue.
    fn is_digesting(&self) -> bool {
        self.progress.ordered().since(self.progress.executed()) > self.limits().window()
    }

    /// When an unanswered question is asked again.
    pub(super) fn catch_up_deadline(&self) -> Option<Instant> {
        let bodies = self.catch_up.bodies.values().map(|(_, until)| *until);
        bodies.chain(self.catch_up.committed.map(|(_, until)| until)).min()
    }

    /// Committed slots with their proofs: as good as own votes, whoever sends them.
    pub(super) fn on_committed(&mut self, from: ReplicaId, slots: Vec<CommittedSlot>) -> Result<(), Rejection> {
        let before = self.progress.ordered();
        let is_digesting = self.is_digesting();
        for CommittedSlot { certificate, batch } in slots {
            let seq = certificate.seq();
            if self.window.contains(seq) {
                self.adopt_in_window(CommittedSlot { certificate, batch });
            } else if seq == self.progress.ordered().next() && !is_digesting {
                self.adopt_beyond_window(CommittedSlot { certificate, batch });
            }
        }
        self.hand_over_committed();
        if self.progress.ordered() == before {
            return Err(Rejection::Duplicate);
        }
        self.timers.progress_at = self.now.monotonic;
        if self.catch_up.committed.is_some_and(|(peer, _)| peer == from) {
            self.catch_up.committed = None; // Answered: the next question may go out at once, to the next peer.
        }
        Ok(())
    }

    fn adopt_in_window(&mut self, committed: CommittedSlot) {
        let CommittedSlot { certificate, batch } = committed;
        let Ok(slot) = self.window.slot_mut(certificate.seq()) else { return };
        if slot.is_handed_over() {
            return;
        }
        self.set_committed(certificate.clone());
        if let (Some(slot), Some(batch)) = (self.window.known_mut(certificate.seq()), batch) {
            slot.add_batch(batch);
        }
    }

    /// A replica that is far behind executes without voting: the slots lie above its window.
    fn adopt_beyond_window(&mut self, committed: CommittedSlot) {
        let CommittedSlot { certificate, batch } = committed;
        let Commit { view, seq, digest } = certificate.commit;
        if let Some(batch) = batch.clone() {
            self.persist(JournalRecord::Batch { seq, batch });
        }
        self.persist(JournalRecord::Committed(certificate.clone()));
        self.progress.set_ordered(seq);
        self.catch_up.beyond.insert(seq, certificate);
        while self.catch_up.beyond.len() as u64 > self.limits().window() {
            self.catch_up.beyond.pop_first();
        }
        self.notice(Notice::Committed { view, seq, digest });
        self.actions.execute.push(Order::Apply(CommittedBatch { seq, digest, batch }));
    }

    /// Slots that were handed over from beyond the window have come into it: what is committed there is known.
    pub(super) fn adopt_from_beyond(&mut self) {
        let low = self.window.low();
        self.catch_up.beyond = self.catch_up.beyond.split_off(&low.next());
        while let Some((seq, certificate)) = self.catch_up.beyond.pop_first() {
            match self.window.slot_mut(seq) {
                Ok(slot) => slot.restore(Promised { committed: Some(certificate), ..Promised::default() }),
                Err(_) => {
                    self.catch_up.beyond.insert(seq, certificate);
                    return;
                }
            }
        }
    }

    /// Whether a slot was executed without its certificate being at hand: it is not voted on again. Whoever lacks it
    /// gets it from the journal.
    pub(super) fn is_settled(&self, seq: SeqNum) -> bool {
        seq <= self.progress.ordered() && self.window.slot(seq).is_none_or(|slot| slot.committed().is_none())
    }

    /// A body that was asked for.
    pub(super) fn on_batch(&mut self, seq: SeqNum, batch: Batch) -> Result<(), Rejection> {
        self.window.require(seq)?;
        let Some(slot) = self.window.known_mut(seq) else { return Err(Rejection::NotAskedFor) };
        if !slot.add_batch(batch) {
            return Err(Rejection::NotAskedFor);
        }
        self.catch_up.bodies.remove(&seq);
        self.advance_slot(seq);
        Ok(())
    }

    /// A peer lacks a body. What was executed comes from the journal, with its certificate.
    pub(super) fn on_fetch_batch(&mut self, from: ReplicaId, seq: SeqNum, digest: Digest) -> Result<(), Rejection> {
        self.require_question(from)?;
        if let Some(batch) = self.window.slot(seq).and_then(|slot| slot.batch(digest)).cloned() {
            self.send(from, Message::Batch { seq, batch });
            return Ok(());
        }
        if seq > self.progress.ordered() {
            return Err(Rejection::NotAskedFor);
        }
        self.actions.send.push(Outgoing::History { to: from, after: seq.previous(), through: seq });
        Ok(())
    }

    /// A peer lacks committed slots.
    pub(super) fn on_fetch_committed(&mut self, from: ReplicaId, after: SeqNum, to: SeqNum) -> Result<(), Rejection> {
        self.require_question(from)?;
        let through = to.min(self.progress.ordered());
        if after >= through {
            return Err(Rejection::NotAskedFor);
        }
        self.actions.send.push(Outgoing::History { to: from, after, through });
        Ok(())
    }

    /// A peer wants what a member has signed.
    pub(super) fn on_fetch_votes(&mut self, from: ReplicaId, signer: ReplicaId) -> Result<(), Rejection> {
        self.require_question(from)?;
        let mut votes = Vec::new();
        for (_, slot) in self.window.slots() {
            let header = slot.accepted().filter(|header| header.signer == signer);
            votes.extend(header.map(|header| Message::PrePrepare(Proposal { header: header.clone(), batch: None })));
            votes.extend(slot.prepares.of(signer).cloned().map(Message::Prepare));
            votes.extend(slot.commits.of(signer).cloned().map(Message::Commit));
        }
        votes.extend(self.checkpoints.votes_of(signer).cloned().map(Message::Checkpoint));
        votes.extend(self.view_changes.latest(signer).cloned().map(Message::ViewChange));
        for vote in votes {
            self.send(from, vote);
        }
        Ok(())
    }

    /// A peer compares histories.
    pub(super) fn on_fetch_chain(&mut self, peer: ReplicaId, from: SeqNum, to: SeqNum) -> Result<(), Rejection> {
        self.require_question(peer)?;
        let last = to.min(from.plus(self.limits().window()).previous());
        let digests: Vec<_> = from.previous().up_to(last).map_while(|seq| self.progress.chain_at(seq)).collect();
        if digests.is_empty() {
            return Err(Rejection::NotAskedFor);
        }
        self.send(peer, Message::Chain(ChainDigests { from, digests }));
        Ok(())
    }

    /// The first slot at which the own history differs from a peer's.
    pub(super) fn on_chain(&mut self, peer: ReplicaId, chain: &ChainDigests) -> Result<(), Rejection> {
        if !matches!(self.standing, Standing::Diverged { .. }) {
            return Err(Rejection::NotAskedFor);
        }
        let last = chain.from.plus(chain.digests.len() as u64).previous();
        let slots = chain.from.previous().up_to(last).zip(&chain.digests);
        let differs = |seq, theirs: &Digest| self.progress.chain_at(seq).is_some_and(|own| own != *theirs);
        match slots.into_iter().find(|(seq, theirs)| differs(*seq, theirs)) {
            Some((seq, _)) => self.notice(Notice::DivergedAt { seq, peer }),
            None => return Err(Rejection::Duplicate),
        }
        Ok(())
    }

    /// Everybody may ask, but not without end.
    pub(super) fn require_question(&mut self, from: ReplicaId) -> Result<(), Rejection> {
        let now = self.now.monotonic;
        let Some(peer) = self.peers.get_mut(from) else { return Err(Rejection::WrongSender) };
        if peer.may_ask(now) { Ok(()) } else { Err(Rejection::RateLimited) }
    }

    /// The executor has loaded a state. Slots above it that the journal restored go on from where they were; a
    /// replica alone has no peer whose votes would move them.
    pub(super) fn on_installed(&mut self, seq: SeqNum, chain: Digest, windows: Vec<(ClientId, ClientWindow)>) {
        self.progress.install(seq, chain, windows);
        self.timers.progress_at = self.now.monotonic;
        self.window.set_handed_over_through(self.progress.ordered());
        let open: Vec<_> = self.window.slots_after(self.progress.ordered()).map(|(seq, _)| seq).collect();
        for seq in open {
            self.advance_slot(seq);
        }
    }

    /// Restores the slots above the low watermark, the own votes included: they are sent again to whoever lacks them.
    pub(super) fn restore_slots(&mut self, promises: &Promises, batches: BTreeMap<(SeqNum, Digest), Batch>) {
        let mut by_slot: BTreeMap<SeqNum, BTreeMap<Digest, Batch>> = BTreeMap::new();
        for ((seq, digest), batch) in batches {
            by_slot.entry(seq).or_default().insert(digest, batch);
        }
        for seq in self.window.low().up_to(self.window.high()) {
            let accepted = promises.pre_prepared.get(&seq).cloned();
            let prepared = promises.prepared.get(&seq).cloned();
            let committed = promises.committed.get(&seq).cloned();
            if accepted.is_none() && prepared.is_none() && committed.is_none() {
                continue;
            }
            let prepare = accepted.as_ref().filter(|header| header.signer != self.id()).map(|header| {
                let vote = header.payload;
                self.sign(Prepare { view: vote.view, seq, digest: vote.digest })
            });
            let commit = prepared
                .as_ref()
                .map(|certificate| self.sign(Commit { view: certificate.view(), seq, digest: certificate.digest() }));
            let Ok(slot) = self.window.slot_mut(seq) else { continue };
            let batches = by_slot.remove(&seq).unwrap_or_default();
            slot.restore(Promised { accepted, prepared, committed, batches });
            slot.prepares.extend(prepare);
            slot.commits.extend(commit);
        }
    }

    /// The checkpoint of the low watermark; `None` at the genesis.
    #[must_use]
    pub fn stable_checkpoint(&self) -> Option<Checkpoint> {
        self.checkpoints.stable().map(|stable| stable.checkpoint)
    }
}
