//! One replica, with everything that can happen to it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::replica_step(bytes));
