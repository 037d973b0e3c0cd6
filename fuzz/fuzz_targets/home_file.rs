//! A whole file of a home.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::home_file(bytes));
