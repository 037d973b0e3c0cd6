//! What fuzzers call, with the checked-in inputs under `fuzz/corpus/`, each also cut anywhere and with any byte changed.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use quorate_node::fuzzing;

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
fn a_file_of_transfers_is_read_line_by_line_whatever_stands_in_it() {
    check("transfers", fuzzing::transfers);
}

#[test]
fn settings_are_what_their_text_says_or_none() {
    check("settings", fuzzing::settings);
}

#[test]
fn nothing_but_a_key_file_holds_a_key() {
    check("secret_key", fuzzing::secret_key);
}

#[test]
fn a_home_is_whose_its_identity_says() {
    check("identity", fuzzing::identity);
}
