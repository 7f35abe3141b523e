//! See `headstart_laws::cache`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::cache::run(bytes));
