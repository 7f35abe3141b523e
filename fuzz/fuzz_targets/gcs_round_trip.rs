//! See `headstart_laws::gcs_round_trip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::gcs_round_trip::run(bytes));
