//! See `headstart_laws::h2_connection`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::h2_connection::run(bytes));
