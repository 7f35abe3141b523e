//! See `headstart_laws::gain_records`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::gain_records::run(bytes));
