//! See `headstart_laws::link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::link::run(bytes));
