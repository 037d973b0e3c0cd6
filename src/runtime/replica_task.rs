//! A replica as a running thing: started from a home folder, stopped cleanly.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use quorate_crypto::Ed25519;

use super::core_loop::CoreLoop;
use super::executor_thread::{ExecutorInput, ExecutorThread, QUESTIONS_MAX, StateReader};
use super::failure::{Failure, FailureCell, StartError};
use super::ingress::{Ingress, VerifyContext};
use super::metrics::Metrics;
use super::observer::Observer;
use super::persister::{Historian, HistoryQuestion, Persister, PersisterInput};
use super::queue::Queue;
use super::rate_limit::RateLimit;
use super::replica_view::ReplicaView;
use super::restoring::{Restored, restore};
use super::snapshot_schedule::SnapshotSchedule;
use super::snapshotter::{SnapshotOrder, Snapshotter};
use super::state_transfer::{
    Fetching, QUESTIONS_WAITING_MAX, ServerInput, Staging, StateServing, TransferGate, TransferWatch,
};
use super::transport::Transport;
use crate::clock::Clock;
use crate::core::{Event, Identity, Replica};
use crate::execution::state_fetch::FetchScope;
use crate::execution::{Admission, Application, ServingRate, StateServer};
use crate::messages::{CheckpointCertificate, Verifier};
use crate::storage::journal::{Journal, JournalOptions, Opened};
use crate::storage::replay::Replay;
use crate::storage::{Disk, DiskPageStore, Harm, Home, Loss, PageStore, Storage, StorageError, SystemDisk};
use crate::types::SeqNum;

/// Verified events that wait for the core at most; verifying threads wait beyond it.
const EVENTS_WAITING_MAX: usize = 8192;
/// Rounds of the core that wait for the disk at most; the core waits beyond it.
const ROUNDS_WAITING_MAX: usize = 1024;
/// Questions for history that wait at most.
const HISTORY_WAITING_MAX: usize = 64;

/// What a replica is made of.
pub struct ReplicaParts<A> {
    /// Who it is.
    pub identity: Identity,
    /// Its files.
    pub home: Home,
    /// Its application, in the initial state.
    pub application: A,
    /// Its network.
    pub transport: Arc<dyn Transport>,
    /// Its clocks.
    pub clock: Arc<dyn Clock>,
}

/// A running replica. Dropping it leaves its threads running: call [`stop`](RunningReplica::stop).
pub struct RunningReplica {
    ingress: Ingress,
    events: Queue<Event>,
    persister: Queue<PersisterInput>,
    executor: Queue<ExecutorInput>,
    reader: StateReader,
    view: Arc<Mutex<ReplicaView>>,
    metrics: Arc<Metrics>,
    watch: TransferWatch,
    failure: Arc<FailureCell>,
    threads: Threads,
}

/// The threads in the order in which they end.
struct Threads {
    verifiers: Vec<JoinHandle<()>>,
    core: JoinHandle<()>,
    persister: JoinHandle<()>,
    historian: JoinHandle<()>,
    executor: JoinHandle<()>,
    state_server: JoinHandle<()>,
    snapshotter: JoinHandle<()>,
    close_historian: Box<dyn FnOnce() + Send + Sync>,
    close_snapshotter: Box<dyn FnOnce() + Send + Sync>,
    close_state_server: Box<dyn FnOnce() + Send + Sync>,
}

impl RunningReplica {
    /// Recovers what the home promises and starts.
    ///
    /// # Errors
    /// [`StartError`] when the genesis, the key or the files cannot be used.
    pub fn start<A: Application>(parts: ReplicaParts<A>) -> Result<Self, StartError> {
        let disk = Arc::new(SystemDisk { fsync: parts.identity.config.fsync });
        Self::start_on(disk, parts)
    }

    /// The same on another disk than that of the system. Only the lock and the identity of the home are not read there.
    ///
    /// # Errors
    /// As [`RunningReplica::start`].
    pub fn start_on<A: Application>(disk: Arc<dyn Disk>, parts: ReplicaParts<A>) -> Result<Self, StartError> {
        let ReplicaParts { identity, home, application, transport, clock } = parts;
        check_identity(&identity)?;
        let Opened { journal, recovered, torn_tail, losses } = open_journal(&identity, &home, Arc::clone(&disk))?;
        if let Some(cut) = torn_tail {
            tracing::warn!(path = %cut.path.display(), bytes = cut.bytes, "removed an unfinished write; nothing is lost");
        }
        log_losses(&losses);
        let restored = restore(&identity, application, store_of(&identity, &home, disk), &journal)?;
        let starter = Starter::new(identity, transport, clock);
        starter.snapshot_found(restored.executor.executed());
        let stable = recovered.promises.stable.clone();
        let replica = Replica::recover(starter.identity.clone(), recovered, starter.clock.now());
        let view = Arc::new(Mutex::new(ReplicaView::of(&replica)));
        let ingress = Ingress::new(starter.events.clone(), Arc::clone(&starter.metrics));
        let context = starter.verify_context(restored.executor.admission());
        let snapshots = Queue::new(1);
        let store = Arc::clone(&restored.store);
        let replay = journal.replay(restored.executor.executed());
        let executor_thread = starter.executor_thread(restored, replay, stable, snapshots.clone());
        let snapshotter = starter.snapshotter(store, snapshots.clone());
        let state_server = starter.state_serving();
        let questions_for_states = starter.state_server.clone();
        let core = starter.core_loop(replica, home.evidence(), Arc::clone(&view));
        let (persister, historian, questions) = starter.storage_threads(journal);
        let threads = Threads {
            verifiers: starter.spawn_verifiers(&ingress, &context)?,
            core: starter.spawn("core", move || core.run())?,
            persister: starter.spawn("persister", move || persister.run())?,
            historian: starter.spawn("historian", move || historian.run())?,
            executor: starter.spawn("executor", move || executor_thread.run())?,
            state_server: starter.spawn("state-server", move || state_server.run())?,
            snapshotter: starter.spawn("snapshotter", move || snapshotter.run())?,
            close_historian: Box::new(move || questions.close()),
            close_snapshotter: Box::new(move || snapshots.close()),
            close_state_server: Box::new(move || questions_for_states.close()),
        };
        Ok(starter.into_running(ingress, view, threads))
    }

    /// Where the transport delivers.
    #[must_use]
    pub fn ingress(&self) -> Ingress {
        self.ingress.clone()
    }

    /// Where it stands.
    #[must_use]
    pub fn view(&self) -> ReplicaView {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner).clone();
        view.transfer = self.watch.progress().map(Into::into);
        view
    }

    /// Its metrics in the OpenMetrics text format.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.metrics.encode()
    }

    /// Reads its application's state.
    #[must_use]
    pub fn reader(&self) -> StateReader {
        self.reader.clone()
    }

    /// Waits until the replica must end because a thread failed; for ever while all is well.
    pub async fn failed(&self) -> Failure {
        self.failure.wait().await
    }

    /// Asks the others to replace this replica as primary, if it is. Call it some time before [`stop`](Self::stop).
    pub fn step_down(&self) {
        self.events.push(Event::StepDown);
    }

    /// Stops: handles what has come in, makes it durable, writes the last certified checkpoint. Blocks; call it outside of
    /// async code.
    ///
    /// # Errors
    /// [`Failure`] when a thread had failed, or the disk does now. That there is no room for a snapshot is none.
    pub fn stop(self) -> Result<(), Failure> {
        let Threads {
            verifiers,
            core,
            persister,
            historian,
            executor,
            state_server,
            snapshotter,
            close_historian,
            close_snapshotter,
            close_state_server,
        } = self.threads;
        if self.failure.get().is_some() {
            // A thread that failed reads its queue no more: whoever waits for room in it must not wait for ever.
            self.events.close();
            self.persister.close();
        }
        self.ingress.close();
        // Verifying threads may wait for room in the queue of events, so the core ends after them.
        verifiers.into_iter().for_each(join);
        self.events.close();
        join(core);
        self.persister.close();
        join(persister);
        close_historian();
        join(historian);
        self.executor.close();
        join(executor);
        close_state_server();
        join(state_server);
        close_snapshotter();
        join(snapshotter);
        self.failure.get().map_or(Ok(()), Err)
    }
}

fn open_journal(identity: &Identity, home: &Home, disk: Arc<dyn Disk>) -> Result<Opened, StorageError> {
    Journal::open(home, JournalOptions::new(&identity.config, &identity.genesis.limits), disk)
}

fn store_of(identity: &Identity, home: &Home, disk: Arc<dyn Disk>) -> Arc<dyn PageStore> {
    Arc::new(DiskPageStore::new(home.path(), &identity.genesis, disk))
}

fn log_losses(losses: &[Loss]) {
    for loss in losses {
        match loss.harm {
            Harm::Nothing | Harm::History => tracing::warn!("{loss}"),
            Harm::Promises => tracing::error!("{loss}"),
        }
    }
}

/// Threads report their failures themselves.
fn join(thread: JoinHandle<()>) {
    drop(thread.join());
}

fn check_identity(identity: &Identity) -> Result<(), StartError> {
    identity.genesis.validate(&Ed25519)?;
    if identity.genesis.committee.key(identity.id) == Some(&identity.key.public()) {
        Ok(())
    } else {
        Err(StartError::ForeignKey(identity.id))
    }
}

/// What all threads share while they are started.
struct Starter {
    identity: Identity,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    failure: Arc<FailureCell>,
    events: Queue<Event>,
    persister: Queue<PersisterInput>,
    executor: Queue<ExecutorInput>,
    state_server: Queue<ServerInput>,
    gate: TransferGate,
    watch: TransferWatch,
}

impl Starter {
    fn new(identity: Identity, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Starter {
            identity,
            transport,
            clock,
            metrics: Arc::default(),
            failure: Arc::default(),
            events: Queue::new(EVENTS_WAITING_MAX),
            persister: Queue::new(ROUNDS_WAITING_MAX),
            executor: Queue::new(QUESTIONS_MAX),
            state_server: Queue::new(QUESTIONS_WAITING_MAX),
            gate: TransferGate::default(),
            watch: TransferWatch::default(),
        }
    }

    /// History below a snapshot that was found at the start may be deleted.
    fn snapshot_found(&self, seq: SeqNum) {
        if seq > SeqNum::GENESIS {
            self.persister.push(PersisterInput::SnapshotDurable(seq));
        }
    }

    /// The durable snapshot that was found is the last one.
    fn snapshot_schedule(&self, last: SeqNum) -> SnapshotSchedule {
        let config = &self.identity.config;
        let interval = self.identity.genesis.limits.checkpoint_interval;
        let slots = interval.saturating_mul(config.snapshot_checkpoints);
        SnapshotSchedule::new(slots, config.snapshot_journal_bytes, last)
    }

    fn executor_thread<A: Application>(
        &self,
        restored: Restored<A>,
        replay: Replay,
        stable: Option<CheckpointCertificate>,
        snapshots: Queue<SnapshotOrder>,
    ) -> ExecutorThread<A> {
        ExecutorThread {
            schedule: self.snapshot_schedule(restored.executor.executed()),
            executor: restored.executor,
            replay,
            missing: restored.missing,
            stable,
            input: self.executor.clone(),
            events: self.events.clone(),
            transport: Arc::clone(&self.transport),
            fetching: self.fetching(Staging::new(restored.store, snapshots.clone())),
            snapshots,
            installing: None,
            state_server: self.state_server.clone(),
            metrics: Arc::clone(&self.metrics),
            failure: Arc::clone(&self.failure),
        }
    }

    fn snapshotter(&self, store: Arc<dyn PageStore>, orders: Queue<SnapshotOrder>) -> Snapshotter {
        Snapshotter {
            store,
            orders,
            persister: self.persister.clone(),
            executor: self.executor.clone(),
            events: self.events.clone(),
            failure: Arc::clone(&self.failure),
        }
    }

    fn fetching(&self, staging: Staging) -> Fetching {
        Fetching {
            scope: FetchScope::new(&self.identity.genesis, self.identity.id),
            gate: self.gate.clone(),
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            watch: self.watch.clone(),
            staging,
            fetch: None,
            rate_limit: RateLimit::default(),
        }
    }

    fn state_serving(&self) -> StateServing {
        let config = &self.identity.config;
        let rate =
            ServingRate { total: config.transfer_bytes_per_second, peer: config.transfer_member_bytes_per_second };
        StateServing {
            server: StateServer::new(rate),
            input: self.state_server.clone(),
            persister: self.persister.clone(),
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn core_loop(&self, replica: Replica, evidence: PathBuf, view: Arc<Mutex<ReplicaView>>) -> CoreLoop {
        CoreLoop {
            replica,
            clock: Arc::clone(&self.clock),
            events: self.events.clone(),
            persister: self.persister.clone(),
            observer: Observer::new(Arc::clone(&self.metrics), evidence),
            view,
        }
    }

    fn into_running(self, ingress: Ingress, view: Arc<Mutex<ReplicaView>>, threads: Threads) -> RunningReplica {
        RunningReplica {
            ingress,
            reader: StateReader::new(self.executor.clone()),
            events: self.events,
            persister: self.persister,
            executor: self.executor,
            view,
            metrics: self.metrics,
            watch: self.watch,
            failure: self.failure,
            threads,
        }
    }

    fn storage_threads(&self, journal: Journal) -> (Persister, Historian, Queue<HistoryQuestion>) {
        let questions = Queue::new(HISTORY_WAITING_MAX);
        let historian = Historian {
            history: journal.history(),
            questions: questions.clone(),
            transport: Arc::clone(&self.transport),
        };
        let persister = Persister {
            id: self.identity.id,
            members: self.identity.genesis.committee.ids().collect(),
            storage: Box::new(journal),
            input: self.persister.clone(),
            transport: Arc::clone(&self.transport),
            executor: self.executor.clone(),
            events: self.events.clone(),
            clock: Arc::clone(&self.clock),
            questions: questions.clone(),
            metrics: Arc::clone(&self.metrics),
            failure: Arc::clone(&self.failure),
        };
        (persister, historian, questions)
    }

    fn verify_context(&self, admission: Arc<dyn Admission>) -> VerifyContext {
        let memo = usize::try_from(self.identity.config.memo_entries_max).unwrap_or(usize::MAX);
        let genesis = Arc::clone(&self.identity.genesis);
        VerifyContext {
            verifier: Arc::new(Verifier::new(genesis, self.identity.context.clone(), memo)),
            admission,
            transport: Arc::clone(&self.transport),
            executor: self.executor.clone(),
            state_server: self.state_server.clone(),
            gate: self.gate.clone(),
        }
    }

    fn spawn_verifiers(&self, ingress: &Ingress, context: &VerifyContext) -> Result<Vec<JoinHandle<()>>, StartError> {
        ingress.verifiers(context).into_iter().map(|(name, work)| self.spawn(name, work)).collect()
    }

    /// A thread whose panic ends the replica, and is said.
    fn spawn<T: Default + Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, StartError> {
        let failure = Arc::clone(&self.failure);
        let guarded = move || {
            catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
                failure.set(Failure::from_panic(name, panic.as_ref()));
                T::default()
            })
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(guarded).map_err(StartError::Thread)
    }
}
