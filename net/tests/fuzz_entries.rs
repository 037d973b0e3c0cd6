//! What fuzzers call, with the checked-in inputs under `fuzz/corpus/`, each also cut anywhere and with any byte changed.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use quorate_net::fuzzing;

fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let inputs: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty(), "{target} has no corpus");
    for input in inputs {
        run(&input);
        for place in 0..input.len() {
            run(&input[..place]);
            for changed in [0, 1, 0x7f, 0xff, input[place] ^ 1, input[place].wrapping_add(1)] {
                let mut bytes = input.clone();
                bytes[place] = changed;
                run(&bytes);
            }
        }
    }
}

#[test]
fn frames_are_what_was_sent_or_a_mistake() {
    check("frames", fuzzing::frames);
}

#[test]
fn only_the_one_hello_and_the_one_answer_are_taken() {
    check("hello", fuzzing::hello);
}
