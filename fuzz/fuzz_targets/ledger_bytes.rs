//! Operations, answers and records of the ledger.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::bounded(bytes, quorate_sim::fuzzing::ledger_bytes));
