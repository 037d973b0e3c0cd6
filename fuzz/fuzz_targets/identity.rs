//! The file that says whose home it is.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_node::fuzzing::identity(bytes));
