//! See `headstart_laws::proxies`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::proxies::run(bytes));
