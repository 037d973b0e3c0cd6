//! Everything that fuzzers call, with the checked-in inputs and with a few random ones: what a long fuzzing run found
//! once stays found, and no other compiler is needed.

#![allow(clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use quorate_sim::fuzzing::{Seed, TARGETS, Target};

/// How long random inputs are.
const BYTES_MAX: usize = 600;

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target.name)
}

/// The checked-in inputs of a target.
fn corpus(target: &Target) -> Vec<Seed> {
    let entries = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("{}: {error}", target.name));
    let files = entries.map(|entry| entry.expect("a folder can be read").path());
    let seed = |path: PathBuf| Seed {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: fs::read(&path).expect("a checked-in file can be read"),
    };
    files.map(seed).collect()
}

#[test]
fn every_seed_is_checked_in_as_this_version_writes_it() {
    for target in TARGETS {
        let corpus = corpus(target);
        for seed in (target.seeds)() {
            let what = format!(
                "fuzz/corpus/{}/{}: run `cargo run -p quorate-sim --example fuzz_seeds`",
                target.name, seed.name
            );
            assert!(corpus.contains(&seed), "{what}");
        }
    }
}

#[test]
fn every_target_has_its_file_and_its_place_in_the_manifest() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("the manifest of the targets");
    for target in TARGETS {
        let file = format!("fuzz_targets/{}.rs", target.name);
        let text = fs::read_to_string(fuzz.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fuzzing::{}", target.name)), "{file} calls something else");
        assert!(manifest.contains(&file), "{file} is not in fuzz/Cargo.toml");
    }
}

#[test]
fn every_checked_in_input_passes() {
    for target in TARGETS {
        for seed in corpus(target) {
            println!("{}/{}", target.name, seed.name);
            (target.run)(&seed.bytes);
        }
    }
}

/// Random bytes, and checked-in inputs with some of their bytes changed or a piece cut out.
#[test]
fn random_inputs_pass() {
    for target in TARGETS {
        let corpus: Vec<Vec<u8>> = corpus(target).into_iter().map(|seed| seed.bytes).collect();
        let random = prop::collection::vec(any::<u8>(), 0..BYTES_MAX);
        let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5);
        let cut = (any::<prop::sample::Index>(), 0..20_usize);
        let changed = (prop::sample::select(corpus), changes, cut).prop_map(|(mut bytes, changes, (at, length))| {
            if bytes.is_empty() {
                return bytes;
            }
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let at = at.index(bytes.len());
            bytes.drain(at..bytes.len().min(at + length));
            bytes
        });
        // PROPTEST_CASES, which is 256 unless somebody wants more, scales all of them.
        let cases = target.cases.saturating_mul(Config::default().cases) / 256;
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&prop_oneof![1 => random, 3 => changed], |bytes| {
                (target.run)(&bytes);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error}", target.name));
    }
}
