//! Checkpoints and the low watermark (PBFT, section 4.3).

use quorate_crypto::Digest;

use super::actions::{JournalRecord, Order};
use super::checkpoints::{CheckpointRecorded, Comparison};
use super::notice::{Evidence, Notice, TransferCause};
use super::promises::Promises;
use super::rejection::Rejection;
use super::replica::Replica;
use crate::messages::{Checkpoint, CheckpointCertificate, Message, Signed};
use crate::mutants::Mutant;
use crate::types::{ReplicaId, SeqNum};

impl Replica {
    /// The executor has reached a checkpoint.
    pub(super) fn take_checkpoint(&mut self, seq: SeqNum, root: Digest) {
        if seq <= self.window.low() {
            self.compare_replayed_checkpoint(seq, root);
            return;
        }
        let checkpoint = Checkpoint { seq, root };
        let promised = self.checkpoints.own().find(|own| own.payload.seq == seq).map(|own| own.payload.root);
        let is_distrusted = seq <= self.catch_up.distrusted_through;
        if let Some(promised) = promised.filter(|promised| *promised != root && !is_distrusted) {
            self.diverge(seq, root, promised);
            return;
        }
        let signed = self.sign(checkpoint);
        self.checkpoints.record_own(signed);
        self.announce_checkpoints();
    }

    /// Says which checkpoints it has reached. One above the high watermark is not said before the window has come there:
    /// what a replica may have voted for is bounded by what others know to be certified.
    pub(super) fn announce_checkpoints(&mut self) {
        if !self.fitness.may_sign_checkpoints() {
            return;
        }
        // A quorum has said so already up to the highest certificate: the own vote would help nobody.
        let (after, high) =
            (self.checkpoints.certified_seq().max(self.catch_up.distrusted_through), self.window.high());
        let unsaid: Vec<_> = self.checkpoints.unsaid(after, high).cloned().collect();
        for signed in unsaid {
            if !self.checkpoints.set_said(signed.payload.seq) {
                self.persist(JournalRecord::CheckpointTaken(signed.payload));
            }
            self.broadcast(Message::Checkpoint(signed.clone()));
            self.count_checkpoint(signed);
        }
    }

    /// Counts a member's checkpoint.
    pub(super) fn on_checkpoint(&mut self, vote: Signed<Checkpoint>) -> Result<(), Rejection> {
        let (seq, low, high) = (vote.payload.seq, self.window.low(), self.window.high());
        self.require_foreign(vote.signer)?;
        if seq <= low {
            return Err(Rejection::OutsideWindow { seq, low, high });
        }
        match self.count_checkpoint(vote.clone()) {
            CheckpointRecorded::New => Ok(()),
            CheckpointRecorded::Unchanged => Err(Rejection::Duplicate),
            CheckpointRecorded::Equivocated { first } => {
                let signer = vote.signer;
                self.evidence(Evidence::Checkpoints(first, vote));
                Err(Rejection::Equivocation { signer, seq })
            }
        }
    }

    /// A peer proves that a checkpoint is certified: a goal, until it is executed here too.
    pub(super) fn on_checkpoint_certificate(&mut self, certificate: CheckpointCertificate) -> Result<(), Rejection> {
        if !self.checkpoints.record_certificate(certificate) {
            return Err(Rejection::Duplicate);
        }
        self.compare_checkpoint();
        Ok(())
    }

    /// A peer wants the certificate of the own low watermark.
    pub(super) fn on_fetch_checkpoint(&mut self, from: ReplicaId) -> Result<(), Rejection> {
        self.require_question(from)?;
        if let Some(stable) = self.checkpoints.stable().cloned() {
            self.send(from, Message::CheckpointCertificate(stable));
        }
        Ok(())
    }

    fn count_checkpoint(&mut self, vote: Signed<Checkpoint>) -> CheckpointRecorded {
        let (quorum, weak_quorum) = (self.committee().quorum(), self.committee().weak_quorum());
        let quorum = if Mutant::StableAtWeakQuorum.lives() { weak_quorum } else { quorum };
        let checkpoint = vote.payload;
        let recorded = self.checkpoints.record(vote);
        if recorded == CheckpointRecorded::New
            && let Some(certificate) = self.checkpoints.certificate(checkpoint, quorum)
            && self.checkpoints.record_certificate(certificate)
        {
            self.compare_checkpoint();
        }
        recorded
    }

    /// The low watermark is the highest checkpoint that is both certified and executed here. It never falls.
    pub(super) fn compare_checkpoint(&mut self) {
        // What was reached before a state was lost or set back is compared when it is reached again.
        let reached = if self.is_waiting_for_state() { self.window.low() } else { self.progress.ordered() };
        match self.checkpoints.compare(reached) {
            Comparison::Nothing => {}
            Comparison::Diverged { seq, own, certified } => self.diverge(seq, own, certified),
            Comparison::Stable(certificate) => self.raise_low_watermark(certificate),
        }
        self.transfer_state();
    }

    pub(super) fn raise_low_watermark(&mut self, certificate: CheckpointCertificate) {
        let (seq, root) = (certificate.seq(), certificate.root());
        let forgotten = self.window.advance(seq);
        self.last_votes.keep(forgotten.values());
        self.checkpoints.set_stable(certificate.clone());
        self.next_seq = self.next_seq.max(seq.next());
        self.persist(JournalRecord::CheckpointStable(certificate.clone()));
        self.actions.execute.push(Order::Stable(certificate));
        self.notice(Notice::CheckpointStable { seq, root });
        self.adopt_from_beyond();
        // Slots of the NewView that lay beyond the high watermark may have come into the window, checkpoints too.
        self.install_re_proposals();
        self.announce_checkpoints();
        // One that has lost promises may ask for a view from here on.
        self.resume_view_change();
    }

    /// A replayed checkpoint must be what was certified.
    pub(super) fn compare_replayed_checkpoint(&mut self, seq: SeqNum, root: Digest) {
        let stable = self.checkpoints.stable().filter(|stable| stable.seq() == seq).map(CheckpointCertificate::root);
        if let Some(certified) = stable.filter(|certified| *certified != root) {
            self.diverge(seq, root, certified);
        }
    }

    /// The own state is not the certified one: stop voting, find the first slot at which it went wrong, and fetch a
    /// certified state.
    fn diverge(&mut self, seq: SeqNum, own: Digest, certified: Digest) {
        if self.is_waiting_for_state() || !self.fitness.diverge(seq) {
            return;
        }
        self.catch_up.wants_state = Some(TransferCause::Diverged);
        self.timers.status_due = self.now.monotonic;
        self.notice(Notice::Diverged { seq, own, certified });
        let from = self.limits().checkpoint_at_or_below(seq.previous()).next();
        self.broadcast(Message::FetchChain { from, to: seq });
    }

    /// Restores the own checkpoints, so that they are sent again to whoever lacks them.
    pub(super) fn restore_checkpoints(&mut self, promises: &Promises) {
        for (seq, root) in &promises.checkpoints {
            let signed = self.sign(Checkpoint { seq: *seq, root: *root });
            self.checkpoints.record_own(signed.clone());
            self.checkpoints.set_promised(*seq);
            if *seq > self.window.low() {
                self.checkpoints.record(signed);
            }
        }
    }
}
