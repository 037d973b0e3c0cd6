//! Genesis and settings as TOML.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_node::fuzzing::settings(bytes));
