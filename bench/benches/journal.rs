//! The journal on a disk: writing a group of 4 KiB, and waiting for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quorate::SeqNum;
use quorate::core::JournalRecord;
use quorate::genesis::{Limits, REQUEST_OVERHEAD_BYTES};
use quorate_bench::network::{Network, NoSignatures};
use quorate_bench::scratch::Scratch;

const GROUP_BYTES: u64 = 4096;

fn groups(criterion: &mut Criterion) {
    let network = Network::new(Arc::new(NoSignatures), Limits::default());
    let operation = usize::try_from(GROUP_BYTES - REQUEST_OVERHEAD_BYTES).expect("smaller than a group");
    let group_of_records = [JournalRecord::Batch { seq: SeqNum(1), batch: network.batch(1, operation) }];
    let mut scratch = Scratch::new();
    let mut group = criterion.benchmark_group("journal_4_kib");
    group.throughput(Throughput::Bytes(GROUP_BYTES));
    for (name, waits) in [("append", false), ("append_and_sync", true)] {
        group.bench_function(name, |bench| {
            bench.iter_custom(|iterations| {
                let mut taken = Duration::ZERO;
                for _ in 0..iterations {
                    scratch.make_room();
                    let start = Instant::now();
                    scratch.append(&group_of_records);
                    if waits {
                        scratch.sync();
                    }
                    taken += start.elapsed();
                }
                taken
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = groups
}
criterion_main!(benches);
