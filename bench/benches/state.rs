//! The replicated state with a million keys.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quorate_bench::mode::is_measured;
use quorate_bench::states::{CHANGED, changed, key, state, value};

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
