//! See `headstart_laws::learn_delta`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::learn_delta::run(bytes));
