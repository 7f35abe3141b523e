//! See `headstart_laws::markup_read`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::markup_read::run(bytes));
