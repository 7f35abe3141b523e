//! The demands on a trial, and the rows of the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::modes::{Ends, Mode};
use super::trial::Trial;

/// An honest client waits at most this long for 99 of 100 answers.
const MAX_P99_MILLIS: f64 = 250.0;
/// Bytes that were pushed for one byte of the attacker, after the first page of each connection.
const MAX_AMPLIFICATION: f64 = 10.0;

/// The checks of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Amplification,
    Ends,
    Failures,
    Memory,
    P99,
    Pushes,
    Well,
}

/// A figure that was held to its target.
pub(crate) struct Finding {
    pub(crate) check: Check,
    name: &'static str,
    unit: &'static str,
    ours: f64,
    target: String,
    pub(crate) holds: bool,
}

pub(crate) fn judge(mode: &Mode, trial: &Trial) -> Vec<Finding> {
    let most = |check, name, unit, ours: f64, target: f64| {
        let holds = ours <= target;
        Finding { check, name, unit, ours, target: format!("<= {target}"), holds }
    };
    let p99 = trial.honest.p99().as_secs_f64() * 1e3;
    let mut findings = vec![
        most(Check::Well, "server is not well", "", f64::from(u8::from(trial.well.is_err())), 0.0),
        most(Check::Failures, "honest failures", "", trial.honest.failures.len() as f64, 0.0),
        most(Check::P99, "honest p99", "ms", p99, MAX_P99_MILLIS),
        most(Check::Memory, "memory growth", "MiB", trial.growth as f64 / f64::from(1 << 20), mode.memory),
    ];
    match mode.ends {
        Ends::Held => {}
        Ends::AtMost(count) => {
            let open = trial.lives.iter().filter(|life| life.closed_after.is_none()).count();
            findings.push(most(Check::Ends, "connections held", "", open as f64, count as f64));
        }
        // A trial that was shorter cannot show it.
        Ends::Within(time) if trial.lasted <= time => {}
        Ends::Within(time) => {
            let lived = |closed: Option<Duration>| closed.unwrap_or(Duration::MAX);
            let late =
                trial.lives.iter().filter(|life| lived(life.closed_after) > time && !life.is_young(time)).count();
            findings.push(most(Check::Ends, "connections not closed in time", "", late as f64, 0.0));
        }
    }
    if mode.pushes {
        findings.push(most(Check::Amplification, "amplification", "", trial.amplification, MAX_AMPLIFICATION));
        // An attack on pushes that meets none shows nothing.
        findings.push(most(Check::Pushes, "no pushes", "", f64::from(u8::from(trial.pushed == 0)), 0.0));
    }
    findings
}

pub(crate) fn print_head() {
    println!(
        "| attack | honest requests | p99 ms | memory MiB | attackers sent, got KiB | connections | server CPU | amplified | |"
    );
    println!("|---|---:|---:|---:|---:|---|---:|---:|---|");
}

pub(crate) fn print(mode: &Mode, trial: &Trial, findings: &[Finding]) {
    let failed: Vec<String> =
        findings.iter().filter(|f| !f.holds).map(|f| format!("{} {:.1} {}", f.name, f.ours, f.target)).collect();
    let verdict = if failed.is_empty() { "PASS".to_owned() } else { format!("**FAIL**: {}", failed.join("; ")) };
    println!(
        "| {} | {} | {:.1} | {:.1} | {}, {} | {} | {:.0}% | {} | {verdict} |",
        mode.name,
        trial.honest.times.len(),
        trial.honest.p99().as_secs_f64() * 1e3,
        trial.growth as f64 / f64::from(1 << 20),
        trial.sent >> 10,
        trial.received >> 10,
        connections(trial),
        100.0 * trial.load,
        if mode.pushes { format!("{:.1}", trial.amplification) } else { String::new() },
    );
}

/// The findings that fail the whole benchmark. The time of the honest client does not: it depends on what else the machine
/// does.
pub(crate) fn failures(mode: &Mode, findings: &[Finding]) -> Vec<String> {
    let failed = findings.iter().filter(|finding| !finding.holds && finding.check != Check::P99);
    failed.map(|f| format!("{}: {} {:.1} {} {}", mode.name, f.name, f.ours, f.unit, f.target)).collect()
}

/// The faults in words: a paragraph under the table.
pub(crate) fn notes(mode: &Mode, trial: &Trial) -> Vec<String> {
    let failures = trial.honest.failures.iter().take(2).map(String::as_str);
    trial
        .well
        .as_ref()
        .err()
        .map(String::as_str)
        .into_iter()
        .chain(failures)
        .map(|why| format!("{}: {why}", mode.name))
        .collect()
}

/// How many there were, how many the server closed, by which codes, and the longest life of those.
fn connections(trial: &Trial) -> String {
    let mut codes: BTreeMap<u32, usize> = BTreeMap::new();
    trial.lives.iter().filter_map(|life| life.goaway).for_each(|code| *codes.entry(code).or_default() += 1);
    let closed: Vec<Duration> = trial.lives.iter().filter_map(|life| life.closed_after).collect();
    let mut text = format!("{} opened, {} closed", trial.connections, closed.len());
    if let Some(longest) = closed.iter().max() {
        let _ = write!(text, " within {:.1} s", longest.as_secs_f64());
    }
    let codes: Vec<String> = codes.iter().map(|(code, count)| format!("{count} by GOAWAY {code}")).collect();
    if !codes.is_empty() {
        let _ = write!(text, " ({})", codes.join(", "));
    }
    text
}

pub(crate) fn rows(mode: &str, findings: &[Finding]) -> Vec<Value> {
    let row = |finding: &Finding| {
        json!({
            "area": "attacks",
            "name": format!("{mode}: {}", finding.name),
            "unit": finding.unit,
            "ours": (finding.ours * 100.0).round() / 100.0,
            "peer_name": null,
            "peer": null,
            "ratio": null,
            "target": finding.target,
            "pass": finding.holds,
        })
    };
    findings.iter().map(row).collect()
}
