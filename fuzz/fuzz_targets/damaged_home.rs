//! Edits of the files of a home.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::damaged_home(bytes));
