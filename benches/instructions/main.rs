//! Instructions of a request through the driver and through the facade, counted by callgrind.
//!
//! `cargo bench -p headstart-benches --bench instructions`. See `headstart_benches::callgrind`. A client in memory sends a
//! hundred requests on one connection, after twenty that are not counted; the polls of the connection are counted, with `h2`,
//! the service and the copy of what is sent. Of the facade the runtime is counted as well, and of the proxied asset what the
//! proxy does over a socket; the application behind it is another process.

mod connection;
mod facade;

use std::process::ExitCode;

use headstart_benches::callgrind::{self, Case};

use connection::ROUNDS;

const EACH: u64 = ROUNDS as u64;

const CASES: [Case; 8] = [
    Case { name: "driver, 100 B", run: || connection::body(100), per: EACH, ceiling: Some(34_200) },
    Case { name: "driver, 10 KB", run: || connection::body(10_000), per: EACH, ceiling: Some(56_800) },
    Case { name: "driver, 1 MB", run: || connection::body(1_000_000), per: EACH, ceiling: Some(2_443_000) },
    Case {
        name: "driver, a pushed stream of 3 KB",
        run: connection::pushes,
        per: EACH * connection::PUSHES as u64,
        ceiling: Some(39_600),
    },
    Case { name: "facade, 100 B", run: || facade::body(100), per: EACH, ceiling: Some(49_800) },
    Case { name: "facade, a navigation with a plan of 10", run: facade::plan, per: EACH, ceiling: Some(170_800) },
    Case { name: "facade, 1 MB", run: || facade::body(1_000_000), per: EACH, ceiling: Some(2_361_000) },
    Case { name: "facade, a proxied asset of 10 KB", run: facade::proxied, per: EACH, ceiling: Some(151_700) },
];

fn main() -> ExitCode {
    if std::env::args().any(|word| word == facade::UPSTREAM) {
        facade::be_upstream();
    }
    callgrind::main("instructions", &CASES)
}
