//! All targets with the inputs that fuzzing begins with. Seeds are made of valid values, so that a change of a format
//! shows in them.

use quorate::codec;

use super::{decoders, homes, keys, ledger, nodes, pages, samples, steps, worlds};
use crate::choices::Choices;

/// Something to fuzz.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the file in `fuzz/fuzz_targets/` and of the folder in `fuzz/corpus/`.
    pub name: &'static str,
    /// What is called with the input.
    pub run: fn(&[u8]),
    /// What its corpus begins with.
    pub seeds: fn() -> Vec<Seed>,
    /// How many random inputs are enough for every run of the tests.
    pub cases: u32,
}

/// A checked-in input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Its file.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Seed>, cases: u32) -> Target {
    Target { name, run, seeds, cases }
}

/// All targets of the engine, the ledger and the simulator.
pub const TARGETS: &[Target] = &[
    target("message", decoders::message, message_seeds, 300),
    target("client_message", decoders::client_message, client_message_seeds, 300),
    target("replica_message", decoders::replica_message, replica_message_seeds, 300),
    target("receipt", decoders::receipt, receipt_seeds, 300),
    target("record", decoders::record, record_seeds, 300),
    target("state_nodes", nodes::state_nodes, || named(nodes::node_seeds()), 300),
    target("state_proof", nodes::state_proof, || named(nodes::proof_seeds()), 300),
    target("ledger_bytes", ledger::ledger_bytes, || named(ledger::byte_seeds()), 300),
    target("ledger_operations", ledger::ledger_operations, || named(ledger::operation_seeds()), 300),
    target("signature", keys::signature, || named(keys::signature_seeds()), 50),
    target("hex", keys::hex, || named(keys::hex_seeds()), 300),
    target("damaged_home", homes::damaged_home, drawn_seeds, 100),
    target("home_file", homes::home_file, || named(homes::file_seeds()), 50),
    target("page_store", pages::page_store, drawn_seeds, 20),
    target("page_file", pages::page_file, || named(vec![("text", b"no store at all".to_vec())]), 10),
    target("replica_step", steps::replica_step, drawn_seeds, 100),
    target("world", worlds::world, || named(worlds::world_seeds()), 10),
];

fn named<N: Into<String>>(seeds: Vec<(N, Vec<u8>)>) -> Vec<Seed> {
    seeds.into_iter().map(|(name, bytes)| Seed { name: name.into(), bytes }).collect()
}

/// Each kind of value once or more often: the number in the name tells them apart.
fn numbered(kinds: impl Iterator<Item = (&'static str, Vec<u8>)>) -> Vec<Seed> {
    (0..).zip(kinds).map(|(number, (kind, bytes))| Seed { name: format!("{number:02}-{kind}"), bytes }).collect()
}

fn message_seeds() -> Vec<Seed> {
    numbered(samples::messages().iter().map(|message| (message.kind(), message.encode().to_vec())))
}

fn client_message_seeds() -> Vec<Seed> {
    numbered(samples::client_messages().iter().map(|message| ("client", message.encode().to_vec())))
}

fn replica_message_seeds() -> Vec<Seed> {
    numbered(samples::replica_messages().iter().map(|message| ("replica", message.encode().to_vec())))
}

fn receipt_seeds() -> Vec<Seed> {
    named(vec![("receipt", samples::receipt().to_vec())])
}

fn record_seeds() -> Vec<Seed> {
    let records = samples::records();
    let records = records.iter().map(|record| ("record", codec::encode(record)));
    let body = super::cast::Cast::get().batch(&[1, 2]).body().to_vec();
    numbered(records.chain([("body", body)]))
}

/// Bytes as a generator gives them, of several lengths.
fn drawn_seeds() -> Vec<Seed> {
    let drawn = |(seed, length): (u64, u64)| {
        let mut choices = Choices::from_seed(seed);
        let bytes = (0..length).map(|_| choices.below(256).to_le_bytes()[0]).collect();
        (format!("drawn-{length}"), bytes)
    };
    named([(1, 0), (2, 40), (3, 300), (4, 1000)].into_iter().map(drawn).collect())
}
