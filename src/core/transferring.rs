//! When a log is not enough: the core decides which certified state to reach, execution decides how (PBFT, TOCS 2002,
//! section 6.2). No slot is executed between the order and the report that the state is installed and durable.
//!
//! A state is fetched when there is none at a start, when the own one differs from a certified one, when nobody keeps the
//! log that is missing any more, and when the log would take longer than the state.

use super::actions::Order;
use super::notice::{Notice, TransferCause};
use super::rejection::Rejection;
use super::replica::Replica;
use crate::client_window::{Admission, ClientWindow};
use crate::messages::{CheckpointCertificate, Standing};
use crate::types::{ClientId, ReplicaId, RequestId, SeqNum};
use quorate_crypto::Digest;

/// A state, as the executor reports it.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) seq: SeqNum,
    pub(super) chain: Digest,
    pub(super) root: Digest,
    pub(super) certificate: Option<CheckpointCertificate>,
    pub(super) windows: Vec<(ClientId, ClientWindow)>,
}

impl Replica {
    /// There is no state that the journal leads on from: it comes from the others.
    pub(super) fn on_state_missing(&mut self) {
        self.catch_up.has_started = true;
        self.catch_up.wants_state = Some(TransferCause::NoState);
        self.transfer_state();
    }

    /// Orders the state that is wanted as soon as a certificate names one, and a newer one when that becomes known.
    pub(super) fn transfer_state(&mut self) {
        // The executor's first report would be taken for the end of the transfer.
        let Some(cause) = self.catch_up.wants_state.filter(|_| self.catch_up.has_started) else { return };
        let Some(goal) = self.checkpoints.certified().cloned() else { return };
        let is_newer = self.catch_up.goal.is_none_or(|known| goal.seq() > known);
        // A state below the own one helps only if the own one is none, or wrong.
        let is_of_use = cause != TransferCause::LogGone || goal.seq() > self.progress.ordered();
        let is_right = self.fitness.diverged().is_none_or(|at| goal.seq() >= at);
        if !is_newer || !is_of_use || !is_right || goal.seq() < self.window.low() {
            return;
        }
        if self.catch_up.goal.is_none() {
            self.notice(Notice::StateTransferStarted { goal: goal.seq(), cause });
        }
        self.catch_up.goal = Some(goal.seq());
        self.actions.execute.push(Order::CatchUpTo(goal));
    }

    /// Whether slots must wait for a state.
    pub(super) fn is_waiting_for_state(&self) -> bool {
        self.waits_for_state().is_some()
    }

    /// Why slots wait for a state, while they do.
    #[must_use]
    pub fn waits_for_state(&self) -> Option<TransferCause> {
        let is_ordered = self.catch_up.goal.is_some();
        self.catch_up.wants_state.filter(|cause| is_ordered || *cause != TransferCause::LogGone)
    }

    /// The checkpoint whose state was ordered last, until it is there.
    #[must_use]
    pub fn transfer_goal(&self) -> Option<SeqNum> {
        self.catch_up.goal
    }

    /// A peer does not hold the slots that were asked for.
    pub(super) fn on_history_gone(&mut self, from: ReplicaId, after: SeqNum) -> Result<(), Rejection> {
        let was_asked = self.catch_up.committed.is_some_and(|(peer, _)| peer == from);
        if !was_asked || after != self.progress.ordered() {
            return Err(Rejection::NotAskedFor);
        }
        self.catch_up.committed = None;
        self.catch_up.unhelpful.insert(from);
        self.catch_up.is_log_gone = true;
        Ok(())
    }

    /// Whether the missing slots are to be had from nobody, or would take longer than a state.
    pub(super) fn is_log_of_no_use(&self) -> bool {
        let ordered = self.progress.ordered();
        // What is proven counts, not what a peer claims of itself.
        let is_too_long = self.checkpoints.certified_seq().since(ordered) > self.config().catch_up_slots_max;
        let gone = self.catch_up.unhelpful.len();
        let mut ahead = self.peers.iter().filter(|(_, peer)| peer.executed() > ordered);
        let nobody_helps = ahead.all(|(id, _)| self.catch_up.unhelpful.contains(&id));
        let is_gone = self.catch_up.is_log_gone && (nobody_helps || gone >= self.committee().weak_quorum());
        is_too_long || is_gone
    }

    /// The executor has a state: the one it started with, or the one that was ordered.
    pub(super) fn on_installed(&mut self, installed: Installed) {
        let Installed { seq, chain, root, certificate, windows } = installed;
        self.timers.progress_at = self.now.monotonic;
        if std::mem::replace(&mut self.catch_up.has_started, true) && self.is_waiting_for_state() {
            self.take_over_state(seq);
        }
        self.progress.install(seq, chain, windows);
        self.compare_pool();
        self.window.set_handed_over_through(self.progress.ordered());
        if let Some(certificate) = certificate {
            self.take_over_certificate(certificate, root);
        }
        self.compare_installed_root(seq, root);
        self.resume_slots();
    }

    /// The requests that a loaded state contains wait no more. Those of slots that it takes the place of, and does not
    /// contain, wait again.
    fn compare_pool(&mut self) {
        let width = self.limits().client_window;
        let is_done = |id: &RequestId| match self.progress.admit(id, width) {
            Admission::Executed | Admission::OldSession { .. } => true,
            Admission::New | Admission::OutsideWindow => false,
        };
        let done: Vec<_> = self.pool.ids().filter(is_done).collect();
        for id in done {
            self.pool.remove(&id);
        }
        self.pool.release_all();
        self.mark_proposed_after(self.progress.ordered());
    }

    /// A fetched state takes the place of the own one, which may have been further, or wrong.
    fn take_over_state(&mut self, seq: SeqNum) {
        let before = self.progress.executed();
        if self.fitness.diverged().is_some() {
            self.notice(Notice::StateDiscarded { executed: before });
            // What was executed on the wrong state may have been signed: it is not signed again.
            self.catch_up.distrusted_through = before;
            self.fitness.set_right_again();
        }
        self.catch_up.goal = None;
        self.catch_up.wants_state = None;
        self.catch_up.is_log_gone = false;
        self.catch_up.unhelpful.clear();
        self.catch_up.committed = None;
        self.catch_up.forget_beyond();
        self.window.reopen_after(seq);
        self.progress.set_back(seq);
        self.timers.status_due = self.now.monotonic;
        self.notice(Notice::StateInstalled { seq });
    }

    fn take_over_certificate(&mut self, certificate: CheckpointCertificate, root: Digest) {
        assert_eq!(certificate.root(), root, "execution installs what is certified");
        self.checkpoints.record_certificate(certificate.clone());
        if certificate.seq() > self.window.low() {
            self.raise_low_watermark(certificate);
        }
    }

    /// A loaded state must be the one that was certified at its slot.
    fn compare_installed_root(&mut self, seq: SeqNum, root: Digest) {
        if seq > SeqNum::GENESIS && self.limits().is_checkpoint(seq) && seq <= self.window.low() {
            self.compare_replayed_checkpoint(seq, root);
        }
    }

    /// Whether this replica executes what is committed.
    pub(super) fn may_execute(&self) -> bool {
        !self.is_waiting_for_state() && !self.fitness.is_disk_low() && self.standing() != Standing::Halted
    }
}
