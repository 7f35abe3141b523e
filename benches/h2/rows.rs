//! Rows of the report: a Markdown table on standard output, and JSON where asked for.

use std::fmt::Write as _;

use crate::load::Run;
use crate::server::Size;

/// The subject of one row.
pub(crate) struct Case {
    pub(crate) size: Size,
    pub(crate) tls: bool,
    pub(crate) threads: usize,
    /// The facade with all it does, and pages with assets instead of one resource.
    pub(crate) learner: bool,
}

/// With the learner and the cookie at work, this much of hyper's speed is asked for.
const LEARNER_TARGET: f64 = 0.95;

pub(crate) struct Rows {
    json: Vec<String>,
}

/// One figure of ours and of the peer in each round.
struct Figure<'a> {
    name: &'a str,
    unit: &'a str,
    /// Ours and the peer's, a round.
    rounds: Vec<(f64, f64)>,
    more_is_better: bool,
    target: Option<f64>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        println!(
            "Ours, the peer's, and how many times better ours is (the median over the rounds, and the extremes).\n"
        );
        println!("| case | | ours | peer | times better | target |");
        println!("|---|---|---:|---:|---:|---|");
        Self { json: Vec::new() }
    }

    /// Three lines: the rate, the slow end, the cost.
    pub(crate) fn add(&mut self, case: &Case, rounds: &[(Run, Run)]) {
        let of = |pick: fn(&Run) -> f64| rounds.iter().map(|(ours, peer)| (pick(ours), pick(peer))).collect();
        let target = Some(if case.learner { LEARNER_TARGET } else { 1.0 });
        let name = case.to_string();
        self.figure(
            &name,
            "hyper",
            &Figure {
                name: "requests/s",
                unit: "",
                rounds: of(|run| run.requests_per_second),
                more_is_better: true,
                target,
            },
        );
        let p99 = of(|run| run.p99.as_secs_f64() * 1e6);
        self.figure(&name, "hyper", &Figure { name: "p99", unit: "us", rounds: p99, more_is_better: false, target });
        let cpu = of(|run| run.cpu.as_secs_f64() * 1e6);
        self.figure(
            &name,
            "hyper",
            &Figure { name: "CPU a request", unit: "us", rounds: cpu, more_is_better: false, target: None },
        );
    }

    /// Pushes of both, a round; how many a second, and what one costs, microseconds of CPU.
    pub(crate) fn pushes(&mut self, name: &str, rates: Vec<(f64, f64)>, costs: Vec<(f64, f64)>) {
        let rates =
            Figure { name: "pushed streams/s", unit: "", rounds: rates, more_is_better: true, target: Some(1.0) };
        let costs = Figure { name: "CPU a page", unit: "us", rounds: costs, more_is_better: false, target: None };
        self.figure(name, "nghttpd", &rates);
        self.figure(name, "nghttpd", &costs);
    }

    pub(crate) fn finish(&self) {
        headstart_benches::rows::write(&format!("[{}]\n", self.json.join(",\n")));
    }

    fn figure(&mut self, case: &str, peer_name: &str, figure: &Figure<'_>) {
        let Figure { name, unit, ref rounds, more_is_better, target } = *figure;
        let ours = median(rounds.iter().map(|(ours, _)| *ours).collect());
        let peer = median(rounds.iter().map(|(_, peer)| *peer).collect());
        let times = |(ours, peer): &(f64, f64)| if more_is_better { ours / peer } else { peer / ours };
        let ratios: Vec<f64> = rounds.iter().map(times).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let ratio = median(ratios);
        let pass = target.map(|target| ratio >= target);
        let digits = usize::from(ours < 100.0);
        let verdict = target
            .zip(pass)
            .map_or(String::new(), |(target, pass)| format!(">= {target} {}", if pass { "met" } else { "missed" }));
        println!(
            "| {case} | {name} | {ours:.digits$} {unit} | {peer:.digits$} {unit} | **{ratio:.2}** ({least:.2} to {most:.2}) | {verdict} |"
        );
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
        let mut json = String::new();
        let _ = write!(
            json,
            r#"{{"area":"h2","name":"{case}: {name}","unit":"{unit}","ours":{ours:.2},"peer_name":"{peer_name}","peer":{peer:.2},"ratio":{ratio:.3},"ratio_least":{least:.3},"ratio_most":{most:.3},"target":{},"pass":{}}}"#,
            or_null(target.map(|target| format!("\">= {target}\""))),
            or_null(pass.map(|pass| pass.to_string())),
        );
        self.json.push(json);
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transport = if self.tls { "TLS" } else { "cleartext" };
        let threads = if self.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", self.threads) };
        let learner = if self.learner { ", learner and cookie" } else { "" };
        write!(f, "{}, {transport}, {threads}{learner}", self.size.name)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = (values.len() - 1) / 2;
    f64::midpoint(values[lower], values[upper])
}
