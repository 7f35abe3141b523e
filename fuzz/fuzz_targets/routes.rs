//! See `headstart_laws::routes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::routes::run(bytes));
