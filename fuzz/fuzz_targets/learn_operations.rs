//! See `headstart_laws::learn_operations`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::learn_operations::run(bytes));
