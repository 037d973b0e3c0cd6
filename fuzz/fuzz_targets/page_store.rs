//! Edits of the file of durable snapshots.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::page_store(bytes));
