//! See `headstart_laws::headstart_policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::headstart_policy::run(bytes));
