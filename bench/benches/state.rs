//! The replicated state with a million keys.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quorate::execution::state::{State, StateLimits};
use quorate_bench::mode::is_measured;
use quorate_crypto::Hasher;

/// How many keys change between two checkpoints.
const CHANGED: u64 = 1_000;
const VALUE_BYTES: usize = 32;

/// Keys whose order says nothing, as addresses have none.
fn key(index: u64) -> [u8; 32] {
    *Hasher::new("bench/key").u64(index).finish().as_bytes()
}

fn value(round: u64) -> [u8; VALUE_BYTES] {
    *Hasher::new("bench/value").u64(round).finish().as_bytes()
}

/// A state with its root computed.
fn state(keys: u64) -> State {
    let mut sorted: Vec<_> = (0..keys).map(key).collect();
    sorted.sort_unstable();
    let entries = sorted.into_iter().map(|key| (key, [7; VALUE_BYTES]));
    let state = State::from_entries(StateLimits::default(), entries).expect("sorted and small");
    black_box(state.root());
    state
}

fn changed(state: &State, keys: u64, round: u64) -> State {
    let mut changed = state.clone();
    let first = round * CHANGED;
    for index in first..first + CHANGED {
        changed.insert(&key(index % keys), &value(round)).expect("within the limits");
    }
    changed
}

fn a_million_keys(criterion: &mut Criterion) {
    let keys = if is_measured() { 1_000_000 } else { 2 * CHANGED };
    let mut state = state(keys);
    let mut group = criterion.benchmark_group("state_1m");
    let mut round = 0;
    let mut next = || {
        round += 1;
        round
    };
    group.throughput(Throughput::Elements(CHANGED));
    group.bench_function("root_after_1000_changes", |bench| {
        bench.iter_batched(|| changed(&state, keys, next()), |changed| changed.root(), BatchSize::PerIteration);
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("get", |bench| {
        bench.iter_batched(|| key(next() % keys), |key| state.get(&key).map(<[u8]>::len), BatchSize::SmallInput);
    });
    group.bench_function("prove", |bench| {
        bench.iter_batched(|| key(next() % keys), |key| state.prove(&key), BatchSize::SmallInput);
    });
    // As an operation does it: on an overlay, which then becomes the state.
    group.bench_function("overlay_insert_keep", |bench| {
        bench.iter_batched(
            || (key(next() % keys), value(next())),
            |(key, value)| {
                let mut overlay = state.clone();
                overlay.insert(&key, &value).expect("within the limits");
                state = overlay;
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = a_million_keys
}
criterion_main!(benches);
