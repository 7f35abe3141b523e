//! The table of this benchmark and its rows for the report.

use std::time::Duration;

use headstart_benches::peers::Load;
use serde_json::{Value, json};

/// At least this share of the best peer's requests a second, and at most its p99.
const AGAINST_BEST: f64 = 1.0;
/// At least this many times the requests a second of axum with ServeDir.
const AGAINST_AXUM: f64 = 5.0;

/// At least this share of the requests a second without reading pages: what rounds of one server differ by.
const AGAINST_NOT_READING: f64 = 0.95;

/// Ours, without reading pages.
pub(crate) const WITHOUT_READING: &str = "headstart, not reading";

/// The measurements with one file; ours comes first.
pub(crate) struct Case {
    pub(crate) servers: Vec<Measured>,
}

/// The measurements of one server, a value for each round.
pub(crate) struct Measured {
    name: &'static str,
    per_second: Vec<f64>,
    cpu: Vec<f64>,
    p99: Vec<f64>,
    /// Bytes, after the last run.
    pub(crate) memory: u64,
}

impl Measured {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, per_second: Vec::new(), cpu: Vec::new(), p99: Vec::new(), memory: 0 }
    }

    pub(crate) fn add(&mut self, load: Load, p99: Duration) {
        self.per_second.push(load.per_second);
        self.cpu.push(load.server_cpu.as_secs_f64() * 1e6);
        self.p99.push(p99.as_secs_f64() * 1e3);
    }
}

/// Prints as it goes.
pub(crate) struct Report {
    rows: Vec<Value>,
}

impl Report {
    pub(crate) fn new() -> Self {
        println!(
            "TLS 1.3, TLS_AES_128_GCM_SHA256, HTTP/2; one worker for each server; h2load, 10 connections of 32 streams."
        );
        Self { rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &str, case: &Case) {
        println!("\n| {name} | requests/s | ours / theirs | server CPU, us a request | p99, ms | memory, MB |");
        println!("|---|---:|---:|---:|---:|---:|");
        let Some((ours, peers)) = case.servers.split_first() else { return };
        for server in &case.servers {
            let memory = server.memory as f64 / 1e6;
            println!(
                "| {} | {:.0} | {:.2} | {:.1} | {:.2} | {memory:.1} |",
                server.name,
                median(&server.per_second),
                median_ratio(&ours.per_second, &server.per_second),
                median(&server.cpu),
                median(&server.p99),
            );
        }
        let (own, peers): (Vec<&Measured>, Vec<&Measured>) =
            peers.iter().partition(|peer| peer.name == WITHOUT_READING);
        for other in own {
            let ratio = median_ratio(&ours.per_second, &other.per_second);
            let target = Some(AGAINST_NOT_READING);
            self.row(name, "requests/s", (&ours.per_second, other, &other.per_second), ratio, target);
            let ratio = median_ratio(&other.cpu, &ours.cpu);
            self.row(name, "CPU us a request", (&ours.cpu, other, &other.cpu), ratio, None);
        }
        let best = peers.iter().max_by(|a, b| median(&a.per_second).total_cmp(&median(&b.per_second)));
        if let Some(&best) = best {
            let ratio = median_ratio(&ours.per_second, &best.per_second);
            self.row(name, "requests/s", (&ours.per_second, best, &best.per_second), ratio, Some(AGAINST_BEST));
        }
        if let Some(&axum) = peers.iter().find(|peer| peer.name == "axum") {
            let ratio = median_ratio(&ours.per_second, &axum.per_second);
            self.row(name, "requests/s", (&ours.per_second, axum, &axum.per_second), ratio, Some(AGAINST_AXUM));
        }
        if let Some(&best) = peers.iter().min_by(|a, b| median(&a.p99).total_cmp(&median(&b.p99))) {
            let ratio = median_ratio(&best.p99, &ours.p99);
            self.row(name, "p99, ms", (&ours.p99, best, &best.p99), ratio, Some(AGAINST_BEST));
        }
        if let Some(&best) = peers.iter().min_by(|a, b| median(&a.cpu).total_cmp(&median(&b.cpu))) {
            let ratio = median_ratio(&best.cpu, &ours.cpu);
            self.row(name, "CPU us a request", (&ours.cpu, best, &best.cpu), ratio, None);
        }
    }

    fn row(
        &mut self,
        case: &str,
        what: &str,
        (ours, peer, theirs): (&[f64], &Measured, &[f64]),
        ratio: f64,
        target: Option<f64>,
    ) {
        let pass = target.map(|target| ratio >= target);
        if let (Some(pass), Some(target)) = (pass, target) {
            let verdict = if pass { "met" } else { "falls short" };
            println!("\n{case}, {what}: {ratio:.2} times {}, target {target}: {verdict}.", peer.name);
        }
        let unit = match what {
            "p99, ms" => "ms",
            "CPU us a request" => "us",
            other => other,
        };
        self.rows.push(json!({
            "area": "static", "name": format!("{case}, {what}"), "unit": unit, "ours": median(ours),
            "peer_name": peer.name, "peer": median(theirs), "ratio": ratio,
            "target": target.map(|target| format!(">= {target}")), "pass": pass,
        }));
    }

    /// Writes the rows to the file that `HEADSTART_BENCH_JSON` names, if it is set.
    pub(crate) fn finish(&self) {
        println!("\n`ours / theirs` is the median over the rounds. Memory is the proportional set size at the end.");
        headstart_benches::rows::write(&format!("{:#}\n", Value::from(self.rows.clone())));
    }
}

fn median_ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    median(&ratios)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
