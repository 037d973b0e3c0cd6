//! The file with a secret key.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quorate_node::fuzzing::secret_key(bytes));
