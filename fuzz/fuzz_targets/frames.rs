//! Frames on a stream of the network.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_fuzz::bounded(bytes, quorate_net::fuzzing::frames));
