//! See `headstart_laws::upstream_http2`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::upstream_http2::run(bytes));
