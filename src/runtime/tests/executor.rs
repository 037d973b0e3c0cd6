//! An executor thread that no thread runs, in a network whose states are certified by whoever asks.

use std::sync::Arc;

use bytes::Bytes;
use quorate_crypto::{Ed25519, KeyPair};

use crate::batch::{Batch, CommittedBatch};
use crate::clock::SystemClock;
use crate::committee::Committee;
use crate::core::{Event, ExecutedBatch, Report};
use crate::execution::state::{State, StateView};
use crate::execution::state_fetch::{FetchScope, Fetched};
use crate::execution::{Context, Executor, Refusal, Replies, Signer, StateMachine, StateMachineApplication};
use crate::genesis::{Genesis, Limits};
use crate::messages::{Checkpoint, CheckpointCertificate, SigningContext};
use crate::outcome::Outcome;
use crate::runtime::executor_thread::ExecutorThread;
use crate::runtime::queue::Queue;
use crate::runtime::rate_limit::RateLimit;
use crate::runtime::snapshot_schedule::SnapshotSchedule;
use crate::runtime::state_transfer::{Fetching, Staging, TransferGate, TransferWatch};
use crate::runtime::transport::Transport;
use crate::storage::replay::Replay;
use crate::storage::{History, MemoryPageStore, StorageError};
use crate::types::{ClientId, ReplicaId, SeqNum, WallTime};

/// Slots from one checkpoint to the next.
pub(super) const K: u64 = 4;

pub(super) type TestThread = ExecutorThread<StateMachineApplication<Nothing>>;

/// Does nothing: what is executed is told apart by its slots.
pub(super) struct Nothing;

impl StateMachine for Nothing {
    fn execute(&self, _: &Context, _: &[u8], _: &mut State) -> Outcome {
        Outcome::Done(Bytes::new())
    }

    fn query(&self, _: &[u8], _: &StateView) -> Outcome {
        Outcome::Done(Bytes::new())
    }

    fn admit(&self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

struct Nowhere;

impl Transport for Nowhere {
    fn to_replica(&self, _: ReplicaId, _: bool, _: Bytes) {}
    fn to_client(&self, _: ClientId, _: Bytes) {}
}

struct NoHistory;

impl History for NoHistory {
    fn committed(&self, _: SeqNum, _: SeqNum, _: usize) -> Result<Vec<crate::messages::CommittedSlot>, StorageError> {
        Ok(Vec::new())
    }

    fn oldest(&self) -> SeqNum {
        SeqNum(1)
    }

    fn newest(&self) -> SeqNum {
        SeqNum::GENESIS
    }
}

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

pub(super) fn genesis() -> Genesis {
    Genesis {
        version: crate::codec::FORMAT_VERSION,
        network: "threads".to_owned(),
        time: WallTime(1),
        limits: Limits { checkpoint_interval: K, ..Limits::default() },
        committee: Committee::new((0..4).map(|seed| key(seed).public()).collect()).unwrap(),
        clients: Vec::new(),
    }
}

fn executor() -> Executor<StateMachineApplication<Nothing>> {
    let genesis = genesis();
    let context = SigningContext::new(Arc::new(Ed25519), genesis.chain_id(), genesis.epoch());
    let signer = Signer { id: ReplicaId(0), key: key(0), context };
    Executor::new(&genesis, StateMachineApplication::new(Arc::new(Nothing), &genesis.limits), signer)
}

/// The thread of a replica at the genesis. It has nothing on the disk.
pub(super) fn thread() -> TestThread {
    let genesis = genesis();
    let snapshots = Queue::new(1);
    let transport: Arc<dyn Transport> = Arc::new(Nowhere);
    let clock = Arc::new(SystemClock::new());
    let fetching = Fetching {
        scope: FetchScope::new(&genesis, ReplicaId(0)),
        gate: TransferGate::default(),
        transport: Arc::clone(&transport),
        clock,
        metrics: Arc::default(),
        watch: TransferWatch::default(),
        staging: Staging::new(Arc::new(MemoryPageStore::new(&genesis)), snapshots.clone()),
        fetch: None,
        rate_limit: RateLimit::default(),
    };
    ExecutorThread {
        executor: executor(),
        replay: Replay::after(Arc::new(NoHistory), SeqNum::GENESIS),
        missing: None,
        stable: None,
        input: Queue::new(1),
        events: Queue::new(1),
        transport,
        snapshots,
        schedule: SnapshotSchedule::new(1 << 20, u64::MAX, SeqNum::GENESIS),
        fetching,
        installing: None,
        state_server: Queue::new(1),
        metrics: Arc::default(),
        failure: Arc::default(),
    }
}

/// What was committed in a slot of that network.
pub(super) fn committed(seq: u64) -> CommittedBatch {
    let batch = Batch::new(WallTime(seq), Vec::new());
    CommittedBatch { seq: SeqNum(seq), digest: batch.digest(SeqNum(seq)), batch: Some(batch) }
}

/// The state of that network after a slot, certified.
pub(super) fn certified(seq: u64) -> Fetched {
    let mut executor = executor();
    (1..=seq).for_each(|seq| drop(executor.apply(&committed(seq), Replies::Withhold)));
    let state = executor.snapshot().replicated();
    // Execution verifies no signatures: the core has.
    let checkpoint = Checkpoint { seq: SeqNum(seq), root: state.root() };
    Fetched { state, certificate: CheckpointCertificate { checkpoint, signatures: Vec::new() } }
}

/// What was reported since the last call, in short.
pub(super) fn reports(thread: &TestThread) -> Vec<String> {
    thread.events.push(Event::StepDown); // The queue would wait if it were empty.
    let events = thread.events.take(usize::MAX, None).unwrap();
    let reports =
        events.into_iter().filter_map(|event| if let Event::Executor(report) = event { Some(report) } else { None });
    let words = reports.filter_map(|report| match report {
        Report::Executed(ExecutedBatch { seq, .. }) => Some(format!("executed {seq}")),
        Report::Installed { seq, .. } => Some(format!("installed {seq}")),
        Report::SnapshotDurable(_) | Report::StateMissing => None,
    });
    words.collect()
}
