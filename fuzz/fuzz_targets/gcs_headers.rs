//! See `headstart_laws::gcs_headers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::gcs_headers::run(bytes));
