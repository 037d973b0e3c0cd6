//! Receipts.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::bounded(bytes, quorate_sim::fuzzing::receipt));
