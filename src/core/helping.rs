//! What this replica gives to those who lack something: in answer to their Status, and to their questions. Whoever lags
//! never slows down the others: answers are bounded in size and number.

use super::actions::Outgoing;
use super::rejection::Rejection;
use super::replica::{Phase, Replica};
use crate::messages::{ChainDigests, Message, Proposal, Status};
use crate::types::{ReplicaId, SeqNum};
use quorate_crypto::Digest;

/// How many slots one answer to a Status helps with, and how many bytes of batches it carries at most.
const SLOTS_AT_ONCE: usize = 32;
const BODY_BYTES_AT_ONCE: usize = 1 << 20;
impl Replica {
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
            self.checkpoints.said().rev().filter(|own| own.payload.seq > certified).take(2).cloned().collect();
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

    /// Everybody may ask, but not without end.
    pub(super) fn require_question(&mut self, from: ReplicaId) -> Result<(), Rejection> {
        let now = self.now.monotonic;
        let Some(peer) = self.peers.get_mut(from) else { return Err(Rejection::WrongSender) };
        if peer.may_ask(now) { Ok(()) } else { Err(Rejection::RateLimited) }
    }
}
