//! What agreement costs in `core::Replica` alone: the time that four replicas take together for one batch. Signatures,
//! verification, journal, network and execution are not in it. The throughput is that of operations.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_bench::cluster::Cluster;

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("four_replicas_order_a_batch_of");
    for requests in [1, 64, 1024] {
        let mut cluster = Cluster::new(requests);
        group.throughput(Throughput::Elements(requests));
        group.bench_function(BenchmarkId::from_parameter(requests), |bench| {
            bench.iter_custom(|iterations| (0..iterations).map(|_| cluster.order_batch()).sum());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = batches
}
criterion_main!(benches);
