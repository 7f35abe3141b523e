//! See `headstart_laws::coding_accept`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::coding_accept::run(bytes));
