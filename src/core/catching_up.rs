//! Catching up: Status, missing bodies, and committed slots from the journals of others. What others are answered stands
//! in [`helping`](super::helping).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use quorate_crypto::Digest;

use super::actions::{JournalRecord, Order};
use super::notice::{Notice, TransferCause};
use super::peers::Peer;
use super::progress::Ordered;
use super::promises::Promises;
use super::rejection::Rejection;
use super::replica::{Phase, Replica};
use super::slot::Promised;
use crate::batch::{Batch, CommittedBatch};
use crate::messages::{
    ChainDigests, Checkpoint, Commit, CommitCertificate, CommittedSlot, Message, Prepare, SlotProgress, Standing,
    Status,
};
use crate::types::{Instant, ReplicaId, SeqNum};

/// How long an answer may take before another peer is asked.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long slots may stand still before the replica counts as stalled.
const STALLED_AFTER: Duration = Duration::from_millis(40);

/// What this replica has asked for. Invariant: at most one question for committed slots, and one for each missing body.
#[derive(Clone, Debug, Default)]
pub struct CatchUp {
    /// The peer that was asked for committed slots, and until when it may answer.
    pub(super) committed: Option<(ReplicaId, Instant)>,
    /// The peer that was asked last: another one is next.
    last_asked: Option<ReplicaId>,
    /// The peers that were asked for the bodies of slots, and until when.
    bodies: BTreeMap<SeqNum, (ReplicaId, Instant)>,
    /// The certificates of slots that were handed over from beyond the window: the latest L.
    beyond: BTreeMap<SeqNum, CommitCertificate>,
    /// The peers that did not answer with the slots behind the own ones, or said that they hold them no more.
    pub(super) unhelpful: BTreeSet<ReplicaId>,
    /// Whether at least one said so.
    pub(super) is_log_gone: bool,
    /// Whether the executor has said what it starts from.
    pub(super) has_started: bool,
    /// Why a state is wanted, while one is.
    pub(super) wants_state: Option<TransferCause>,
    /// The checkpoint whose state was ordered.
    pub(super) goal: Option<SeqNum>,
    /// Up to where own checkpoints may have been signed with a wrong root.
    pub(super) distrusted_through: SeqNum,
}

impl CatchUp {
    /// How many questions are open or were in vain, and how many certificates from beyond the window are kept.
    #[must_use]
    pub(super) fn footprint(&self) -> (usize, usize) {
        (self.bodies.len() + self.unhelpful.len(), self.beyond.len())
    }

    /// The state was replaced: what was executed from beyond the window is not known to be in it.
    pub(super) fn forget_beyond(&mut self) {
        self.beyond.clear();
    }
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
            standing: self.standing(),
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
        match self.catch_up.committed {
            Some((_, until)) if until > now => return,
            Some((silent, _)) => {
                self.catch_up.unhelpful.insert(silent);
            }
            None => {}
        }
        if !self.may_execute() {
            self.catch_up.committed = None;
            return;
        }
        let goal = self.peers.iter().map(|(_, peer)| peer.executed()).max().unwrap_or_default();
        let is_far = goal.since(ordered) > self.config().pipeline_depth.max(self.limits().checkpoint_interval / 2);
        let stands_still = now.since(self.timers.progress_at) >= STALLED_AFTER;
        if goal <= ordered || self.is_digesting() || !(is_far || stands_still) {
            self.catch_up.committed = None;
            return;
        }
        if self.is_log_of_no_use() {
            self.catch_up.committed = None;
            self.catch_up.wants_state = Some(TransferCause::LogGone);
            self.transfer_state();
            if self.catch_up.goal.is_some() {
                return;
            }
            // No certificate names a state that is further: the peers send one when they hear where this replica stands.
            self.catch_up.wants_state = None;
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
        if !self.may_execute() {
            return Err(Rejection::NotVoting);
        }
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
        self.catch_up.unhelpful.clear();
        self.catch_up.is_log_gone = false;
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
        if self.progress.set_ordered(seq) == Ordered::New {
            if let Some(batch) = batch.clone() {
                self.persist(JournalRecord::Batch { seq, batch });
            }
            self.persist(JournalRecord::Committed(certificate.clone()));
        }
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

    /// The first slot at which the own history differs from a peer's.
    pub(super) fn on_chain(&mut self, peer: ReplicaId, chain: &ChainDigests) -> Result<(), Rejection> {
        if !matches!(self.standing(), Standing::Diverged { .. }) {
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
