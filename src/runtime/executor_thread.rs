//! The thread that owns the application: it executes what was committed, reports to the core, and answers clients.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::failure::{Failure, FailureCell};
use super::metrics::Metrics;
use super::queue::Queue;
use super::snapshot_schedule::SnapshotSchedule;
use super::snapshotter::{Certified, SnapshotOrder};
use super::state_transfer::{Fetching, ServerInput};
use super::transport::Transport;
use crate::batch::CommittedBatch;
use crate::core::{Event, Order, Report};
use crate::execution::state_fetch::Fetched;
use crate::execution::{Application, Executor, ReplicatedState, Replies, Snapshot, Stability};
use crate::messages::{CheckpointCertificate, Nodes, ReplicaMessage, StateHead};
use crate::outcome::Outcome;
use crate::storage::StorageError;
use crate::storage::page_store::Remains;
use crate::storage::replay::Replay;
use crate::types::{ClientId, ReplicaId, SeqNum};

/// Questions of clients and readers that wait at most. Orders are not bounded here but by the core.
pub(super) const QUESTIONS_MAX: usize = 1024;
/// Inputs that are taken at once.
const INPUTS_AT_ONCE: usize = 64;

#[derive(Debug)]
/// What comes to the executor.
pub(super) enum ExecutorInput {
    /// From the core, through the persister.
    Order(Order),
    /// A client wants a part of a receipt.
    Attest {
        /// Who.
        from: ClientId,
        /// The slot.
        seq: SeqNum,
        /// The place in the batch.
        index: u32,
    },
    /// A client wants a proven value.
    Query {
        /// Who.
        from: ClientId,
        /// Its tag.
        tag: u64,
        /// The key.
        key: Bytes,
    },
    /// Somebody in this process wants to know something of the application.
    Read {
        /// The question, in the application's words.
        query: Vec<u8>,
        /// Where the answer goes.
        answer: oneshot::Sender<(SeqNum, Outcome)>,
    },
    /// A member says whether it holds the state that is fetched.
    StateHead {
        /// Who.
        from: ReplicaId,
        /// What it says.
        head: StateHead,
    },
    /// A member sends nodes of the state that is fetched.
    Nodes {
        /// Who.
        from: ReplicaId,
        /// What it sends.
        nodes: Nodes,
    },
    /// The fetched state of this slot is durable.
    StateDurable(SeqNum),
    /// Somebody in this process wants the whole state.
    State(oneshot::Sender<Snapshot>),
}

/// Reads the application's state within this process: local and unproven.
#[derive(Clone, Debug)]
pub struct StateReader {
    executor: Queue<ExecutorInput>,
}

/// The replica is busy or stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the replica is too busy to answer, or stopping")]
pub struct Unanswered;

impl StateReader {
    pub(super) fn new(executor: Queue<ExecutorInput>) -> Self {
        StateReader { executor }
    }

    /// What the application answers about its last executed state, and which slot that is.
    ///
    /// # Errors
    /// [`Unanswered`] when too many questions wait, or the replica stops.
    pub async fn read(&self, query: Vec<u8>) -> Result<(SeqNum, Outcome), Unanswered> {
        let (answer, answered) = oneshot::channel();
        self.executor.offer(ExecutorInput::Read { query, answer }).map_err(|_| Unanswered)?;
        answered.await.map_err(|_| Unanswered)
    }

    /// The last executed state: a cheap copy that does not change any more.
    ///
    /// # Errors
    /// As [`StateReader::read`].
    pub async fn state(&self) -> Result<Snapshot, Unanswered> {
        let (answer, answered) = oneshot::channel();
        self.executor.offer(ExecutorInput::State(answer)).map_err(|_| Unanswered)?;
        answered.await.map_err(|_| Unanswered)
    }
}

/// What the thread owns.
pub(super) struct ExecutorThread<A> {
    pub(super) executor: Executor<A>,
    pub(super) replay: Replay,
    /// See [`Restored`](super::restoring::Restored); until a state is fetched.
    pub(super) missing: Option<Remains>,
    /// The certificate of the low watermark at the start; the executor gets it when it comes there.
    pub(super) stable: Option<CheckpointCertificate>,
    pub(super) input: Queue<ExecutorInput>,
    pub(super) events: Queue<Event>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) snapshots: Queue<SnapshotOrder>,
    /// When the next durable snapshot is due.
    pub(super) schedule: SnapshotSchedule,
    pub(super) fetching: Fetching,
    /// The fetched state that is being made durable, while the core has not heard of it.
    pub(super) installing: Option<SeqNum>,
    /// The thread that serves states to others.
    pub(super) state_server: Queue<ServerInput>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failure: Arc<FailureCell>,
}

impl<A: Application> ExecutorThread<A> {
    /// Replays what was committed before the start, then executes until its queue is closed.
    pub(super) fn run(mut self) {
        match &self.missing {
            None => self.report(self.executor.installed()),
            Some(_) => self.report(Report::StateMissing),
        }
        if let Some((_, certified)) = self.executor.certified() {
            self.state_server.push(ServerInput::Hold(certified.replicated()));
        }
        self.hand_over_certificate();
        if let Err(error) = self.replay_committed() {
            self.failure.set(Failure::Storage(error));
            return;
        }
        while let Some(inputs) = self.input.take(INPUTS_AT_ONCE, self.fetching.wait()) {
            for input in inputs {
                self.handle(input);
            }
            let fetched = self.fetching.on_time();
            self.install(fetched);
        }
        self.leave_certified_state();
    }

    /// What a clean stop leaves is a state with its certificate: after the next start it is served to others, and reads
    /// are proven against it at once. The journal holds what follows it.
    fn leave_certified_state(&mut self) {
        if let Some((certificate, snapshot)) = self.executor.certified() {
            let certified = Certified { state: snapshot.replicated(), certificate: certificate.clone() };
            self.order_snapshot(certified);
        }
    }

    fn replay_committed(&mut self) -> Result<(), StorageError> {
        while self.missing.is_none()
            && let Some(committed) = self.replay.next()
        {
            self.apply(&committed?, Replies::Withhold);
            self.hand_over_certificate();
        }
        Ok(())
    }

    pub(super) fn handle(&mut self, input: ExecutorInput) {
        match input {
            ExecutorInput::Order(Order::Apply(committed)) => self.on_apply(&committed),
            ExecutorInput::Order(Order::Resend { to, id }) => {
                if let Some(reply) = self.executor.resend(&id) {
                    self.answer(to, &reply);
                }
            }
            ExecutorInput::Order(Order::Stable(certificate)) => self.on_stable(certificate),
            ExecutorInput::Order(Order::CatchUpTo(goal)) => self.on_catch_up_to(goal),
            ExecutorInput::StateHead { from, head } => {
                let fetched = self.fetching.on_head(from, &head);
                self.install(fetched);
            }
            ExecutorInput::Nodes { from, nodes } => {
                let fetched = self.fetching.on_nodes(from, &nodes);
                self.install(fetched);
            }
            ExecutorInput::StateDurable(seq) => self.finish_installing(|installed| installed == seq),
            ExecutorInput::Attest { from, seq, index } => {
                let attestation = self.executor.attest(seq, index);
                self.answer(from, &attestation);
            }
            ExecutorInput::Query { from, tag, key } => {
                let answer = self.executor.query(tag, &key);
                self.answer(from, &answer);
            }
            // A reader that has gone away needs no answer.
            ExecutorInput::Read { query, answer } => drop(answer.send(self.executor.read(&query))),
            ExecutorInput::State(answer) => drop(answer.send(self.executor.snapshot())),
        }
    }

    fn on_apply(&mut self, committed: &CommittedBatch) {
        // The core had a state before it heard of the one that it ordered last: that one is not needed any more...
        self.fetching.abandon();
        // ...or is here already. When the core comes to where it ends, the journal holds what leads there, so that the
        // core may hear of it before it is durable, and must before it hears of what follows.
        self.finish_installing(|installed| installed <= committed.seq);
        if committed.seq > self.executor.executed() {
            self.apply(committed, Replies::Send);
            self.hand_over_certificate();
        }
    }

    fn on_catch_up_to(&mut self, goal: CheckpointCertificate) {
        // The state that is being made durable ends the order.
        if self.installing.is_none() {
            let fetched = self.fetching.catch_up_to(goal, || base_of(&self.executor, self.missing.as_ref()));
            self.install(fetched);
        }
    }

    /// Goes on from a state that was fetched. The core hears of it when it is durable.
    pub(super) fn install(&mut self, fetched: Option<Fetched>) {
        let Some(Fetched { state, certificate }) = fetched else { return };
        match self.executor.install(state.clone(), Some(certificate.clone())) {
            Ok(()) => {
                self.installing = Some(certificate.seq());
                self.missing = None;
                self.schedule.ordered(certificate.seq());
                self.state_server.push(ServerInput::Hold(state.clone()));
                self.snapshots.push(SnapshotOrder::Install(Certified { state, certificate }));
            }
            // Only a faulty quorum certifies such a state; a later order may name another one.
            Err(error) => {
                tracing::error!(%error, "the certified state cannot be used");
                self.fetching.discard_staged();
            }
        }
    }

    /// Reports the installed state, once, if it is one that may be reported now.
    fn finish_installing(&mut self, may_report: impl FnOnce(SeqNum) -> bool) {
        if self.installing.take_if(|seq| may_report(*seq)).is_some() {
            self.report(self.executor.installed());
        }
    }

    fn apply(&mut self, committed: &CommittedBatch, replies: Replies) {
        let applied = self.executor.apply(committed, replies);
        self.schedule.executed(committed);
        for (client, reply) in &applied.replies {
            self.answer(*client, reply);
        }
        self.metrics.replies_sent.inc_by(applied.replies.len() as u64);
        self.report(Report::Executed(applied.report));
    }

    /// After a start the core does not order again what became stable before it.
    fn hand_over_certificate(&mut self) {
        let executed = self.executor.executed();
        if let Some(certificate) = self.stable.take_if(|stable| stable.seq() <= executed) {
            self.certify(certificate);
        }
    }

    fn on_stable(&mut self, certificate: CheckpointCertificate) {
        self.certify(certificate);
        // One whose checkpoints become stable keeps up: what an earlier fetch has left on the disk is of no use.
        self.fetching.discard_staged();
    }

    fn certify(&mut self, certificate: CheckpointCertificate) {
        match self.executor.stable(certificate.clone()) {
            Stability::Certified(snapshot) => {
                let state = snapshot.replicated();
                self.state_server.push(ServerInput::Hold(state.clone()));
                if self.schedule.is_due(certificate.seq()) {
                    self.order_snapshot(Certified { state, certificate });
                }
            }
            // The core compares roots before it calls a checkpoint stable.
            Stability::NotKept | Stability::Diverged { .. } => {}
        }
    }

    /// While one snapshot is written, the newest of those that follow waits.
    fn order_snapshot(&mut self, certified: Certified) {
        self.schedule.ordered(certified.certificate.seq());
        self.snapshots.replace(SnapshotOrder::is_replaceable, SnapshotOrder::Checkpoint(certified));
    }

    fn report(&self, report: Report) {
        self.events.push(Event::Executor(report));
    }

    fn answer(&self, to: ClientId, message: &ReplicaMessage) {
        self.transport.to_client(to, message.encode());
    }
}

/// What a state is fetched on top of: the own one, or what can be read of a damaged one where there is none.
fn base_of<A: Application>(executor: &Executor<A>, remains: Option<&Remains>) -> ReplicatedState {
    let own = executor.snapshot().replicated();
    match remains {
        Some(Remains { clients, application }) if own.position.seq == SeqNum::GENESIS => {
            ReplicatedState { clients: clients.clone(), application: application.clone(), ..own }
        }
        Some(_) | None => own,
    }
}
