//! See `headstart_laws::smuggling`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::smuggling::run(bytes));
