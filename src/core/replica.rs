//! One replica's part in the agreement: the state that its chapters share, and the one place where events come in.
//!
//! The chapters are [`normal_case`](super::normal_case), [`checkpointing`](super::checkpointing),
//! [`suspecting`](super::suspecting), [`view_changing`](super::view_changing), [`catching_up`](super::catching_up), [`helping`](super::helping),
//! [`transferring`](super::transferring) and [`recovering`](super::recovering).
//! A handler checks, then changes, then acts.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_crypto::{Digest, KeyPair};

use super::actions::{Actions, JournalRecord, Outgoing, Recipients};
use super::catching_up::CatchUp;
use super::checkpoints::Checkpoints;
use super::event::{Event, Report};
use super::fitness::Fitness;
use super::held_votes::LastVotes;
use super::notice::{Evidence, Notice, SuspicionCause};
use super::peers::{Peer, Peers};
use super::progress::Progress;
use super::promises::{EnteredView, Promises, Recovered};
use super::rejection::Rejection;
use super::request_pool::{PoolLimits, RequestPool};
use super::timers::Timers;
use super::transferring::Installed;
use super::view_changes::ViewChanges;
use super::window::Window;
use crate::batch::Batch;
use crate::committee::Committee;
use crate::config::NodeConfig;
use crate::genesis::{Genesis, Limits};
use crate::messages::{Message, Payload, Signed, SigningContext, Standing, Verified};
use crate::types::{Instant, Now, ReplicaId, SeqNum, View};

/// What a replica is: fixed from start to end.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What all replicas share.
    pub genesis: Arc<Genesis>,
    /// What may differ.
    pub config: Arc<NodeConfig>,
    /// Its place in the committee.
    pub id: ReplicaId,
    /// Its key.
    pub key: KeyPair,
    /// How it signs.
    pub context: SigningContext,
}

/// Whether this replica takes part in its view, or asks for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It orders in its view.
    Active,
    /// It asks for a later view and votes in none.
    ViewChanging {
        /// The view it asks for.
        target: View,
    },
}

/// A replica of PBFT. Sans-I/O: [`step`](Replica::step) takes an event, [`take_actions`](Replica::take_actions) gives
/// what is to be done, [`next_deadline`](Replica::next_deadline) says when to come back.
#[derive(Clone, Debug)]
pub struct Replica {
    pub(super) identity: Identity,
    pub(super) view: View,
    pub(super) phase: Phase,
    pub(super) fitness: Fitness,
    /// The proof of `view`, kept and served; `None` in view 0.
    pub(super) entered: Option<EnteredView>,
    /// The last slot that the NewView of `view` assigned; proposals go on above it.
    pub(super) assigned_through: SeqNum,
    /// The next slot that this primary proposes at.
    pub(super) next_seq: SeqNum,
    /// The last high watermark at which it was said that requests wait for a checkpoint.
    pub(super) stalled_at: SeqNum,
    pub(super) window: Window,
    pub(super) progress: Progress,
    pub(super) pool: RequestPool,
    pub(super) checkpoints: Checkpoints,
    pub(super) view_changes: ViewChanges,
    pub(super) last_votes: LastVotes,
    pub(super) peers: Peers,
    pub(super) timers: Timers,
    pub(super) catch_up: CatchUp,
    /// Whether this replica said that it suspects the primary, and why.
    pub(super) suspicion: Option<SuspicionCause>,
    pub(super) now: Now,
    pub(super) actions: Actions,
}

impl Replica {
    /// Starts a replica from what its journal promised; from nothing, at the genesis.
    ///
    /// The executor's first report must be [`Report::Installed`].
    #[must_use]
    pub fn recover(identity: Identity, recovered: Recovered, now: Now) -> Self {
        let Recovered { promises, batches } = recovered;
        let Identity { genesis, config, .. } = &identity;
        let limits = &genesis.limits;
        let pool_limits = PoolLimits {
            requests_max: usize::try_from(config.pool_requests_max).unwrap_or(usize::MAX),
            bytes_max: config.pool_bytes_max,
            client_requests_max: usize::try_from(limits.client_window).unwrap_or(usize::MAX),
        };
        let mut replica = Replica {
            view: promises.view(),
            phase: Phase::Active,
            fitness: Fitness::at_start(promises.recovery, genesis.committee.quorum() - 1, now.monotonic),
            entered: promises.entered.clone(),
            assigned_through: SeqNum::GENESIS,
            next_seq: SeqNum::GENESIS.next(),
            stalled_at: SeqNum::GENESIS,
            window: Window::new(promises.low_watermark(), limits.window()),
            progress: Progress::new(promises.committed_through.max(promises.low_watermark())),
            pool: RequestPool::new(pool_limits),
            checkpoints: Checkpoints::new(promises.stable.clone()),
            view_changes: ViewChanges::default(),
            last_votes: LastVotes::default(),
            peers: Peers::new(identity.id, genesis.committee.ids()),
            timers: Timers::new(config.timeout(), config.timeout_cap(), now.monotonic),
            catch_up: CatchUp::default(),
            suspicion: None,
            now,
            actions: Actions::default(),
            identity,
        };
        replica.restore_promises(promises, batches);
        replica
    }

    /// Handles one event.
    pub fn step(&mut self, now: Now, event: Event) {
        self.now = now;
        match event {
            Event::Request(request) => self.on_client_request(request),
            Event::Message { from, message } => self.on_message(from, message),
            Event::Link { peer, up } => self.on_link(peer, up),
            Event::Executor(report) => self.on_report(report),
            Event::Disk(space) => self.on_disk(space),
            Event::StepDown => self.on_step_down(),
            Event::DeadlineReached => {}
        }
        self.on_time();
        self.check_invariants();
    }

    /// Takes what is to be done since the last call.
    #[must_use]
    pub fn take_actions(&mut self) -> Actions {
        std::mem::take(&mut self.actions)
    }

    /// When [`Event::DeadlineReached`] is wanted. Always some moment: Status is periodic.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        [
            Some(self.timers.status_due),
            self.batch_deadline(),
            self.vote_deadline(),
            self.suspicion_deadline(),
            self.new_view_deadline(),
            self.catch_up_deadline(),
            self.inquiry_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(self.timers.status_due)
    }

    /// Its place in the committee.
    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.identity.id
    }

    /// The highest view it has entered.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether it orders or asks for another view.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it may vote.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.fitness.standing()
    }

    /// Why it suspects the primary, if it does.
    #[must_use]
    pub fn suspicion(&self) -> Option<SuspicionCause> {
        self.suspicion
    }

    /// h and H, the watermarks.
    #[must_use]
    pub fn watermarks(&self) -> (SeqNum, SeqNum) {
        (self.window.low(), self.window.high())
    }

    /// The last slot handed to the executor, and the last one that it has reported.
    #[must_use]
    pub fn execution(&self) -> (SeqNum, SeqNum) {
        (self.progress.ordered(), self.progress.executed())
    }

    /// The chain hash after the last executed slot.
    #[must_use]
    pub fn chain(&self) -> Digest {
        self.progress.chain()
    }

    /// How many requests wait to be executed, and how many bytes of batches are in memory.
    #[must_use]
    pub fn load(&self) -> (usize, u64) {
        (self.pool.len(), self.window.slots().map(|(_, slot)| slot.body_bytes()).sum())
    }

    /// The members that have not said yet what they hold with this replica's signature, while that keeps it from voting.
    #[must_use]
    pub fn awaited_members(&self) -> Vec<ReplicaId> {
        self.fitness.awaited().collect()
    }

    /// The members from whom a connection broke or nothing was ever heard: who is missing.
    #[must_use]
    pub fn missing_members(&self) -> Vec<ReplicaId> {
        let silent = |peer: &Peer| {
            peer.broken_since().is_some()
                || peer.heard().is_none_or(|at| self.now.monotonic.since(at) > self.timers.timeout())
        };
        self.peers.iter().filter(|(_, peer)| silent(peer)).map(|(id, _)| id).collect()
    }

    fn on_message(&mut self, from: ReplicaId, message: Verified<Message>) {
        if !self.committee().contains(from) || from == self.id() {
            return;
        }
        self.peers.set_heard(from, self.now.monotonic);
        let kind = message.kind();
        let result = match message.into_inner() {
            Message::Forward(request) => self.on_forward(Verified::own(request)),
            Message::PrePrepare(proposal) => self.on_pre_prepare(proposal),
            Message::Prepare(prepare) => self.on_prepare(prepare),
            Message::Commit(commit) => self.on_commit(commit),
            Message::Checkpoint(checkpoint) => self.on_checkpoint(checkpoint),
            Message::ViewChange(view_change) => self.on_view_change(view_change),
            Message::NewView(new_view) => self.on_new_view(from, new_view),
            Message::Status(status) => self.on_status(from, status),
            Message::FetchBatch { seq, digest } => self.on_fetch_batch(from, seq, digest),
            Message::Batch { seq, batch } => self.on_batch(seq, batch),
            Message::FetchCommitted { after, to } => self.on_fetch_committed(from, after, to),
            Message::Committed(slots) => self.on_committed(from, slots),
            Message::FetchViewChange { signer, digest } => self.on_fetch_view_change(from, signer, digest),
            Message::FetchVotes { signer } => self.on_fetch_votes(from, signer),
            Message::FetchCheckpoint => self.on_fetch_checkpoint(from),
            Message::CheckpointCertificate(certificate) => self.on_checkpoint_certificate(certificate),
            Message::FetchChain { from: first, to } => self.on_fetch_chain(from, first, to),
            Message::Chain(chain) => self.on_chain(from, &chain),
            Message::Votes(held) => self.on_votes(from, &held),
            Message::HistoryGone { after } => self.on_history_gone(from, after),
            // Execution's own: they never come here.
            Message::FetchState { .. } | Message::StateHead(_) | Message::FetchNodes(_) | Message::Nodes(_) => {
                Err(Rejection::NotAskedFor)
            }
        };
        if let Err(reason) = result {
            self.notice(Notice::Rejected { from, kind, reason });
        }
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Executed(batch) => self.on_executed(batch),
            // What lies below a durable snapshot concerns the journal alone, which is told directly.
            Report::SnapshotDurable(_) => {}
            Report::Installed { seq, chain, root, certificate, windows } => {
                self.on_installed(Installed { seq, chain, root, certificate, windows });
            }
            Report::StateMissing => self.on_state_missing(),
        }
    }

    /// Everything that is due by the clock or has become possible.
    fn on_time(&mut self) {
        self.recover_promises();
        self.propose();
        self.vote_on_delayed();
        self.suspect();
        self.move_late_view_change();
        self.fetch_what_is_missing();
        self.send_due_status();
    }

    pub(super) fn committee(&self) -> &Committee {
        &self.identity.genesis.committee
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.identity.genesis.limits
    }

    pub(super) fn config(&self) -> &NodeConfig {
        &self.identity.config
    }

    /// The primary of the current view.
    #[must_use]
    pub fn primary(&self) -> ReplicaId {
        self.committee().primary(self.view)
    }

    pub(super) fn is_primary(&self) -> bool {
        self.primary() == self.id()
    }

    /// Whether this replica takes part in ordering now. What it may sign depends on the slot.
    pub(super) fn is_active(&self) -> bool {
        self.phase == Phase::Active && self.fitness.may_follow() && !self.fitness.is_checking()
    }

    /// Whether this replica leads and may propose.
    pub(super) fn is_leading(&self) -> bool {
        self.is_primary() && self.phase == Phase::Active && self.standing() == Standing::Voting
    }

    /// The view it asks for, or is in.
    pub(super) fn own_target(&self) -> View {
        match self.phase {
            Phase::Active => self.view,
            Phase::ViewChanging { target } => target,
        }
    }

    pub(super) fn sign<P: Payload>(&self, payload: P) -> Signed<P> {
        self.identity.context.sign(&self.identity.key, self.identity.id, payload)
    }

    pub(super) fn persist(&mut self, record: JournalRecord) {
        self.actions.persist.push(record);
    }

    pub(super) fn send(&mut self, to: ReplicaId, message: Message) {
        self.actions.send.push(Outgoing::Replica { to: Recipients::One(to), message });
    }

    pub(super) fn broadcast(&mut self, message: Message) {
        self.actions.send.push(Outgoing::Replica { to: Recipients::Others, message });
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.actions.notices.push(notice);
    }

    pub(super) fn evidence(&mut self, evidence: Evidence) {
        self.notice(Notice::Evidence(Box::new(evidence)));
    }

    /// More than f members are provably faulty: nothing that this replica signs can be of use any more.
    pub(super) fn halt(&mut self, evidence: Evidence) {
        self.evidence(evidence);
        if self.fitness.halt() {
            self.notice(Notice::Halted);
        }
    }

    /// What carries the own signature is known here, or was not said by this replica: it does not count twice.
    pub(super) fn require_foreign(&self, signer: ReplicaId) -> Result<(), Rejection> {
        if signer == self.id() { Err(Rejection::Duplicate) } else { Ok(()) }
    }

    pub(super) fn require_following(&self) -> Result<(), Rejection> {
        if self.fitness.may_follow() { Ok(()) } else { Err(Rejection::NotVoting) }
    }

    fn restore_promises(&mut self, promises: Promises, batches: BTreeMap<(SeqNum, Digest), Batch>) {
        self.restore_slots(&promises, batches);
        self.restore_checkpoints(&promises);
        self.restore_view(promises);
    }
}
