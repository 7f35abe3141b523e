//! Full load for minutes: `cargo bench -p headstart-benches --bench soak -- [--quick | --minutes N]`.
//!
//! A release build of the program, with its defaults, and clients of six kinds that keep it busy: browsers that visit
//! pages, clients that take pushes, clients that cancel, slow readers, uploads, and clients of one request each. Every
//! answer is looked at: status and length. After a warm-up (a fifth of the time) memory has to stay where it is, no
//! answer may be lost, and the server may say nothing of a panic. 150 s by default, 20 s with `--quick`.

mod clients;
mod trend;

use std::time::{Duration, Instant};

use crate::peers::{Certificate, HEADSTART_LEARNING_SOON, Setup, anonymous_bytes};
use serde_json::json;

use crate::attacks::site;
use trend::Trend;

/// How far memory may move from the end of the warm-up to the end, as a line through it has it.
const MAX_GROWTH_MIB: f64 = 4.0;

/// Runs the benchmark.
///
/// # Panics
///
/// If the program does not start, or a client panics.
pub fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let lasting = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Duration::from_secs(150),
        ["--quick"] => Duration::from_secs(20),
        ["--minutes", minutes] => Duration::from_secs_f64(60.0 * minutes.parse::<f64>().expect("minutes")),
        _ => panic!("usage: soak [--quick | --minutes N], not {words:?}"),
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().join("site");
    std::fs::create_dir(&root).and_then(|()| site::write(&root)).expect("a site");
    let certificate = Certificate::make(directory.path()).expect("a certificate");
    let server =
        Setup::new(&root, &certificate).start(&HEADSTART_LEARNING_SOON).unwrap_or_else(|error| panic!("{error}"));

    let load = clients::start(server.address(), &certificate.trusted(), lasting);
    let (began, mut trend) = (Instant::now(), Trend::default());
    let cpu_before = server.cpu_time();
    while began.elapsed() < lasting {
        std::thread::sleep(Duration::from_millis(500));
        let bytes = anonymous_bytes(server.pid()).expect("the server runs");
        trend.note(began.elapsed(), bytes);
    }
    let cpu = server.cpu_time().saturating_sub(cpu_before).as_secs_f64() / began.elapsed().as_secs_f64();
    let tally = load.join().expect("the clients do not panic");
    let output = std::fs::read_to_string(server.scratch().join("output")).unwrap_or_default();
    let panics = output.lines().filter(|line| line.contains("panicked")).count();

    let growth = trend.growth(lasting / 5) / f64::from(1 << 20);
    println!("| {:.0} s of mixed load, server CPU {:.0}% | |", lasting.as_secs_f64(), 100.0 * cpu);
    println!("|---|---:|");
    for (what, count) in tally.counts() {
        println!("| {what} | {count} |");
    }
    for (at, bytes) in trend.shown() {
        println!("| memory after {:.0} s, MiB | {:.1} |", at.as_secs_f64(), bytes as f64 / f64::from(1 << 20));
    }
    let rows = [
        ("memory growth after warm-up", growth, "MiB", MAX_GROWTH_MIB),
        ("answers lost", tally.failures.len() as f64, "", 0.0),
        ("panics", panics as f64, "", 0.0),
    ];
    for (name, ours, unit, target) in rows {
        let verdict = if ours <= target { "PASS" } else { "**FAIL**" };
        println!("| {name} | {ours:.2} {unit} (<= {target}) {verdict} |");
    }
    for failure in tally.failures.iter().take(10) {
        println!("\nlost: {failure}");
    }
    let json: Vec<_> = rows
        .map(|(name, ours, unit, target)| {
            json!({
                "area": "soak", "name": name, "unit": unit, "ours": (ours * 100.0).round() / 100.0, "peer_name": null,
                "peer": null, "ratio": null, "target": format!("<= {target}"), "pass": ours <= target,
            })
        })
        .to_vec();
    crate::rows::write(&serde_json::to_string_pretty(&json).expect("rows are JSON"));
}
