//! Instructions of a request through the driver, counted by callgrind.
//!
//! `cargo bench -p headstart-benches --bench instructions`. See `headstart_benches::callgrind`. A client in memory sends a
//! hundred requests on one connection, after twenty that are not counted; the polls of the connection are counted, with `h2`,
//! the service and the copy of what is sent.

mod client;
mod connection;

use std::process::ExitCode;

use headstart_benches::callgrind::{self, Case};

use connection::ROUNDS;

const EACH: u64 = ROUNDS as u64;

const CASES: [Case; 4] = [
    Case { name: "driver, 100 B", run: || connection::body(100), per: EACH, ceiling: 34_200 },
    Case { name: "driver, 10 KB", run: || connection::body(10_000), per: EACH, ceiling: 56_800 },
    Case { name: "driver, 1 MB", run: || connection::body(1_000_000), per: EACH, ceiling: 2_443_000 },
    Case {
        name: "driver, a pushed stream of 3 KB",
        run: connection::pushes,
        per: EACH * connection::PUSHES as u64,
        ceiling: 39_600,
    },
];

fn main() -> ExitCode {
    callgrind::main("instructions", &CASES)
}
