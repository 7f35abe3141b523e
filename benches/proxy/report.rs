//! The table of this benchmark and its rows for the report.

use std::time::Duration;

use headstart_benches::peers::Load;
use serde_json::{Value, json};

use crate::servers::WITHOUT_READING;

/// At least this share of the requests a second of nginx.
const AGAINST_NGINX: f64 = 0.9;

/// At most so much more processor time than without reading pages, as a ratio: what rounds of one proxy differ by.
const AGAINST_NOT_READING: f64 = 0.95;

/// The measurements of one server, a value for each round.
pub(crate) struct Measured {
    name: &'static str,
    per_second: Vec<f64>,
    cpu: Vec<f64>,
    p99: Vec<f64>,
}

impl Measured {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, per_second: Vec::new(), cpu: Vec::new(), p99: Vec::new() }
    }

    pub(crate) fn add(&mut self, load: Load, p99: Duration) {
        self.per_second.push(load.per_second);
        self.cpu.push(load.server_cpu.as_secs_f64() * 1e6);
        self.p99.push(p99.as_secs_f64() * 1e3);
    }
}

/// Prints as it goes.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Value>,
}

impl Report {
    /// Ours comes first.
    pub(crate) fn add(&mut self, name: &str, servers: &[Measured]) {
        println!("\n| {name} | requests/s | ours / theirs | proxy CPU, us a request | p99, ms |");
        println!("|---|---:|---:|---:|---:|");
        let Some((ours, peers)) = servers.split_first() else { return };
        for server in servers {
            println!(
                "| {} | {:.0} | {:.2} | {:.1} | {:.2} |",
                server.name,
                median(&server.per_second),
                median_ratio(&ours.per_second, &server.per_second),
                median(&server.cpu),
                median(&server.p99),
            );
        }
        for peer in peers {
            let target = (peer.name == "nginx" && !name.contains("gzip")).then_some(AGAINST_NGINX);
            let ratio = median_ratio(&ours.per_second, &peer.per_second);
            self.row(&format!("{name}, requests/s"), (&ours.per_second, peer, &peer.per_second), ratio, target);
        }
        for peer in peers.iter().filter(|peer| peer.name == "nginx" || peer.name == WITHOUT_READING.name) {
            let ratio = median_ratio(&peer.cpu, &ours.cpu);
            // Compression and reading are work of the proxy alone, so that its own time says more than what all pass on together.
            let target = match peer.name {
                "nginx" => name.contains("gzip").then_some(AGAINST_NGINX),
                _ => Some(AGAINST_NOT_READING),
            };
            self.row(&format!("{name}, CPU us a request"), (&ours.cpu, peer, &peer.cpu), ratio, target);
            let ratio = median_ratio(&peer.p99, &ours.p99);
            self.row(&format!("{name}, p99 ms"), (&ours.p99, peer, &peer.p99), ratio, None);
        }
    }

    fn row(&mut self, name: &str, (ours, peer, theirs): (&[f64], &Measured, &[f64]), ratio: f64, target: Option<f64>) {
        let pass = target.map(|target| ratio >= target);
        if let (Some(pass), Some(target)) = (pass, target) {
            let verdict = if pass { "met" } else { "falls short" };
            println!("\n{name}: {ratio:.2} times {}, target {target}: {verdict}.", peer.name);
        }
        self.rows.push(json!({
            "area": "proxy", "name": name, "unit": name.rsplit(", ").next(), "ours": median(ours),
            "peer_name": peer.name, "peer": median(theirs), "ratio": ratio, "target": target, "pass": pass,
        }));
    }

    /// Writes the rows to the file that `HEADSTART_BENCH_JSON` names, if it is set.
    pub(crate) fn finish(&self) {
        println!("\n`ours / theirs` is the median over the rounds.");
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
