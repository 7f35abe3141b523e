//! See `headstart_laws::gcs_view_equals_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::gcs_view_equals_set::run(bytes));
