//! See `headstart_laws::log_lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::log_lines::run(bytes));
