//! Operations of the ledger, executed one after the other.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::ledger_operations(bytes));
