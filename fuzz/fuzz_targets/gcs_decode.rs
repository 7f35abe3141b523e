//! See `headstart_laws::gcs_decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::gcs_decode::run(bytes));
