//! Attacks on the program: `cargo bench -p headstart-benches --bench attacks -- [--quick] [PARTS OF NAMES]`.
//!
//! Each attack meets a release build that was just started, with the defaults that it has, over TLS on loopback; an
//! honest client beside it visits pages and their assets all the while. Bytes, connections and time of an attack are
//! bounded. The server must stay alive and answer the honest client: no failure, p99 at most 250 ms; its memory may
//! grow by 16 MiB, by 48 under a thousand connections; the attacker's connections are closed in time, or may stay within their limits; and what is pushed
//! for a byte of the attacker is at most 10 bytes, after a first page. `--quick` gives one second to each attack,
//! which is too short to see slow timers.
//!
//! Attacks on what all clients share meet the program as a proxy, too, in front of an application in this process, over
//! HTTP/1.1 and over HTTP/2.
//!
//! A check that does not hold fails the benchmark, except for the time of the honest client, and except for `--quick`.
//!
//! The control comes first: a careless server that has to fail each of the checks.

mod brief;
mod control;
mod floods;
mod frames;
mod heads;
pub(crate) mod honest;
mod modes;
mod pushes;
mod resets;
mod shared;
pub(crate) mod site;
mod slow;
mod stage;
mod trial;
mod upstream;
mod verdict;
mod watch;
mod wire;

use std::time::Duration;

use crate::peers::{Certificate, HEADSTART_LEARNING_SOON, Setup};

pub use brief::brief;

/// The authority that attackers ask for.
const AUTHORITY: &str = "localhost";

/// Runs the benchmark.
///
/// # Panics
///
/// If a server does not start, or a check of the control sees nothing.
pub fn main() {
    control::become_careless();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = words.iter().any(|word| word == "--quick");
    let parts: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    let is_chosen = |name: &str| parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()));

    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().join("site");
    std::fs::create_dir(&root).and_then(|()| site::write(&root)).expect("a site");
    let certificate = Certificate::make(directory.path()).expect("a certificate");
    let tls = certificate.trusted();
    let setup = Setup::new(&root, &certificate);

    let (mut rows, mut notes, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    verdict::print_head();
    let mut blind = Vec::new();
    for (mode, check) in control::modes().into_iter().filter(|(mode, _)| is_chosen(mode.name)) {
        let trial = trial::run(&setup, &control::CARELESS, &tls, &mode, Duration::from_secs(2));
        let findings = verdict::judge(&mode, &trial);
        verdict::print(&mode, &trial, &findings);
        if !findings.iter().any(|finding| finding.check == check && !finding.holds) {
            blind.push(format!("{} does not see {:?}", mode.name, check));
        }
    }
    for mode in [modes::none()].into_iter().chain(modes::all()).filter(|mode| is_chosen(mode.name)) {
        let trial = trial::run(&setup, &HEADSTART_LEARNING_SOON, &tls, &mode, mode.lasting(quick));
        let findings = verdict::judge(&mode, &trial);
        verdict::print(&mode, &trial, &findings);
        notes.extend(verdict::notes(&mode, &trial));
        failures.extend(verdict::failures(&mode, &findings));
        rows.extend(verdict::rows(mode.name, &findings));
    }
    for note in notes {
        println!("\n{note}");
    }
    crate::rows::write(&serde_json::to_string_pretty(&rows).expect("rows are JSON"));
    assert!(blind.is_empty(), "a check sees nothing: {}", blind.join("; "));
    assert!(quick || failures.is_empty(), "{} checks do not hold:\n{}", failures.len(), failures.join("\n"));
}
