//! Durable snapshots of a million keys: what a checkpoint costs the executor, what a commit writes, and what execution
//! feels of it.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use quorate::execution::state::State;
use quorate::execution::{Position, ReplicatedState};
use quorate::genesis::{Genesis, Limits};
use quorate::storage::{DiskPageStore, Loaded, PageStore, SystemDisk};
use quorate::{SeqNum, WallTime};
use quorate_bench::mode::is_measured;
use quorate_bench::network::{Network, NoSignatures};
use quorate_bench::states::{CHANGED, changed, state};
use quorate_crypto::Digest;
use tempfile::TempDir;

fn replicated(genesis: &Genesis, seq: u64, application: State) -> ReplicatedState {
    let position =
        Position { chain_id: genesis.chain_id(), seq: SeqNum(seq), chain: Digest::ZERO, time: WallTime(seq) };
    ReplicatedState { position, clients: State::new(), application }
}

fn store_in(folder: &TempDir, genesis: &Genesis) -> DiskPageStore {
    std::fs::create_dir_all(folder.path().join("snapshots")).expect("a temporary folder can be written");
    DiskPageStore::new(folder.path(), genesis, Arc::new(SystemDisk { fsync: true }))
}

fn a_million_keys(criterion: &mut Criterion) {
    let keys = if is_measured() { 1_000_000 } else { 2 * CHANGED };
    let network = Network::new(Arc::new(NoSignatures), Limits::default());
    let (genesis, base) = (network.genesis(), state(keys));
    let folder = TempDir::new().expect("a temporary folder can be made");
    let store = store_in(&folder, genesis);
    let mut group = criterion.benchmark_group("snapshot_1m");
    group.bench_function("checkpoint_of_1000_changes", |bench| {
        let mut round = 0;
        let next = || {
            round += 1;
            changed(&base, keys, round)
        };
        bench.iter_batched(next, |state| (state.root(), replicated(genesis, 1, state)), BatchSize::PerIteration);
    });
    group.bench_function("first_commit", |bench| {
        let all = replicated(genesis, 1, base.clone());
        bench.iter_custom(|iterations| (0..iterations).map(|_| first_commit(genesis, &all)).sum());
    });
    store.commit(&replicated(genesis, 1, base.clone()), None).expect("the disk has room");
    let mut series = Series { store: &store, genesis, state: base.clone(), seq: 1 };
    group.bench_function("commit_of_1000_changes", |bench| {
        bench.iter_custom(|iterations| (0..iterations).map(|_| series.commit_next()).sum());
    });
    group.bench_function("load", |bench| {
        bench.iter(|| assert!(matches!(store.load(), Ok(Loaded::Whole { .. })), "whole"));
    });
    group.bench_function("execute_1000_changes", |bench| bench.iter(|| changed(&base, keys, 1).root()));
    let is_over = AtomicBool::new(false);
    // Far more often than in a replica, which writes one every 16 checkpoints: without a pause.
    let written = [series.state.clone(), changed(&series.state, keys, series.seq + 1)];
    thread::scope(|scope| {
        scope.spawn(|| {
            for state in written.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed)) {
                store.commit(&replicated(genesis, series.seq, state.clone()), None).expect("the disk has room");
            }
        });
        group.bench_function("execute_1000_changes_while_snapshots_are_written", |bench| {
            bench.iter(|| changed(&base, keys, 1).root());
        });
        is_over.store(true, Ordering::Relaxed);
    });
    group.finish();
}

fn first_commit(genesis: &Genesis, state: &ReplicatedState) -> Duration {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let store = store_in(&folder, genesis);
    let start = Instant::now();
    store.commit(state, None).expect("the disk has room");
    start.elapsed()
}

/// States of which each has changed a little since the one before.
struct Series<'a> {
    store: &'a DiskPageStore,
    genesis: &'a Genesis,
    state: State,
    seq: u64,
}

impl Series<'_> {
    fn commit_next(&mut self) -> Duration {
        self.seq += 1;
        self.state = changed(&self.state, self.state.len(), self.seq);
        let state = replicated(self.genesis, self.seq, self.state.clone());
        black_box(state.root());
        let start = Instant::now();
        self.store.commit(&state, None).expect("the disk has room");
        start.elapsed()
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = a_million_keys
}
criterion_main!(benches);
