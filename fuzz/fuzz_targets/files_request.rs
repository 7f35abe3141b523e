//! See `headstart_laws::files_request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::files_request::run(bytes));
