//! See `headstart_laws::fleet_entries`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headstart_laws::fleet_entries::run(bytes));
