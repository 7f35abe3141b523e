//! See `headstart_laws::proxy_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::proxy_response::run(bytes));
