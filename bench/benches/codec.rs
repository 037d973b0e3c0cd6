//! From messages to frames and back.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quorate::genesis::Limits;
use quorate::messages::{Message, PrePrepare, Prepare, PreparedCertificate, Proposal, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_bench::network::{Network, NoSignatures};
use quorate_crypto::Hasher;

/// A small operation: a full batch of them is far below `batch_bytes_max`.
const OPERATION_BYTES: usize = 128;

fn proposal(network: &Network) -> Message {
    let seq = SeqNum(1);
    let batch = network.batch(network.genesis().limits.batch_requests_max, OPERATION_BYTES);
    let header = network.sign(ReplicaId(0), PrePrepare { view: View(0), seq, digest: batch.digest(seq) });
    Message::PrePrepare(Proposal { header, batch: Some(batch) })
}

fn vote(network: &Network) -> Message {
    let digest = Hasher::new("bench").finish();
    Message::Prepare(network.sign(ReplicaId(1), Prepare { view: View(0), seq: SeqNum(1), digest }))
}

/// One with a prepared certificate for every slot of the window.
fn view_change(network: &Network) -> Message {
    let prepared = SeqNum::GENESIS.up_to(SeqNum(network.genesis().limits.window())).map(|seq| {
        let digest = Hasher::new("bench").u64(seq.0).finish();
        let pre_prepare = network.sign(ReplicaId(0), PrePrepare { view: View(0), seq, digest });
        let prepares = network.votes(&Prepare { view: View(0), seq, digest }, 1..3);
        PreparedCertificate { pre_prepare, prepares }
    });
    let view_change = ViewChange { target: View(1), stable: None, prepared: prepared.collect() };
    Message::ViewChange(network.sign(ReplicaId(1), view_change))
}

fn frames(criterion: &mut Criterion) {
    let network = Network::new(Arc::new(NoSignatures), Limits::default());
    let messages = [
        ("pre_prepare_1024_requests", proposal(&network)),
        ("prepare", vote(&network)),
        ("view_change_256_slots", view_change(&network)),
    ];
    for (name, message) in messages {
        let frame = message.encode();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function("encode", |bench| bench.iter(|| black_box(&message).encode()));
        group.bench_function("decode", |bench| {
            bench.iter(|| Message::decode(black_box(&frame)).expect("it was encoded here"));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = frames
}
criterion_main!(benches);
