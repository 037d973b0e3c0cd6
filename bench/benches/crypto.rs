//! Signatures, digests and Merkle trees.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_crypto::merkle::{self, MerkleTree};
use quorate_crypto::{Digest, Ed25519, Hasher, KeyPair, SignatureScheme};

/// About what a replica signs for a vote.
const MESSAGE: [u8; 150] = [7; 150];
/// The results of a full batch.
const LEAVES: u64 = 1024;

fn signatures(criterion: &mut Criterion) {
    let key = KeyPair::from_seed(&[1; 32]);
    let signature = Ed25519.sign(&key, &MESSAGE);
    let mut group = criterion.benchmark_group("ed25519");
    group.bench_function("sign", |bench| bench.iter(|| Ed25519.sign(&key, black_box(&MESSAGE))));
    group.bench_function("verify_strict", |bench| {
        bench.iter(|| Ed25519.verify(&key.public(), black_box(&MESSAGE), &signature).expect("it is the key's"));
    });
    group.finish();
}

fn digests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sha256");
    for size in [64, 1 << 10, 64 << 10, 512 << 10] {
        let bytes = vec![7; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bench| {
            bench.iter(|| Hasher::new("bench").bytes(black_box(&bytes)).finish());
        });
    }
    group.finish();
}

fn trees(criterion: &mut Criterion) {
    let leaves: Vec<Digest> = (0..LEAVES).map(|leaf| Hasher::new("bench").u64(leaf).finish()).collect();
    let tree = MerkleTree::new(leaves.clone());
    let proof = tree.prove(LEAVES / 3).expect("there is such a leaf");
    let (root, leaf) = (tree.root(), leaves[LEAVES as usize / 3]);
    let mut group = criterion.benchmark_group("merkle_1024");
    group.throughput(Throughput::Elements(LEAVES));
    group.bench_function("root", |bench| bench.iter(|| merkle::root(black_box(&leaves))));
    group.throughput(Throughput::Elements(1));
    group.bench_function("prove", |bench| bench.iter(|| tree.prove(black_box(LEAVES / 3))));
    group.bench_function("verify", |bench| bench.iter(|| proof.verify(&root, black_box(&leaf)).expect("it is a leaf")));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = signatures, digests, trees
}
criterion_main!(benches);
