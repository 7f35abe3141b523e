//! See `headstart_laws::websocket`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::websocket::run(bytes));
