//! See `headstart_laws::snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::snapshot::run(bytes));
