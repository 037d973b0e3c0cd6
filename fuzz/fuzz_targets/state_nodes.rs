//! Nodes of a state that is fetched from others.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_sim::fuzzing::state_nodes(bytes));
