//! Files of transfers.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_node::fuzzing::transfers(bytes));
