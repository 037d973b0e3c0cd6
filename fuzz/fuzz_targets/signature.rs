//! Keys and signatures.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::signature(bytes));
