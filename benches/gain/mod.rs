//! The measure of what help is worth, by simulation: `cargo bench -p headstart-benches --bench gain`.
//!
//! A site's times are log-normal (sigma .9); one view in 32 is held out; somebody looks at the figure at the end of
//! each of thirty days. What is shown: how often all thirty intervals cover the truth, how wide they are beside one that may
//! be looked at once, how often help that is given to both arms raises an alarm, and when a true gain is seen.

mod ledger;
mod program;
pub mod simulation;

use std::hint::black_box;
use std::time::{Duration, Instant};

use headstart_gain::{Arm, Observation, Strata, Weight};
use serde_json::{Value, json};
use simulation::{Seen, Site, run};

/// Runs the benchmark.
///
/// # Panics
///
/// If a figure of a full run is not what it should be, or the rows cannot be written.
pub fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let runs = if quick { 100 } else { 2_000 };
    // First, as a process that has simulated for minutes is another one than a program that has just started.
    let ledger = ledger::cost();
    println!("| | measured | target | |\n|---|---:|---|---|");
    let site = Site { views_a_day: 10_000, held_out: 1.0 / 32.0, gain: 0.2, sigma: 0.9, days: 30 };
    let seen = all(site, runs);
    let covered = share(&seen, |seen| seen.always_covered);
    let width = seen.iter().map(|seen| seen.width).fold(0.0, f64::max);
    let alarms = share(&all(Site { gain: 0.0, ..site }, runs), |seen| seen.certain_on_day.is_some());
    let fortnight = all(Site { gain: 0.1, days: 14, ..site }, runs);
    let rows = [
        row("runs in which all 30 daily intervals cover the truth", covered, 0.95, true),
        row("widest interval, beside one for a single look", width, 1.6, false),
        row("runs in which help to both arms raises an alarm in 30 days", alarms, 0.05, false),
        row(
            "runs in which a gain of 10 % is seen within 14 days",
            share(&fortnight, |s| s.certain_on_day.is_some()),
            0.8,
            true,
        ),
        row("the sketches, a view of a kept page, nanoseconds", cost(), 200.0, false),
        row(
            "the whole ledger with its pages, assets and clients, a view with ten assets, nanoseconds",
            ledger.view,
            200.0,
            false,
        ),
        measured("the same, a view without assets, nanoseconds", ledger.bare),
        measured("the same, a view with ten assets whose timeline is kept, nanoseconds", ledger.kept),
    ];
    crate::rows::write(&serde_json::to_string_pretty(&rows).expect("rows are JSON"));
    // The cost of the ledger depends on how far away the memory of a machine is: it is shown, and fails nothing.
    let mut laws = rows.iter().filter(|row| row["name"].as_str().is_none_or(|name| !name.contains("ledger")));
    assert!(quick || laws.all(|row| row["pass"] == true), "a figure is not what it says");
}

fn all(site: Site, runs: u64) -> Vec<Seen> {
    (0..runs).map(|seed| run(site, seed)).collect()
}

fn share(seen: &[Seen], of: impl Fn(&Seen) -> bool) -> f64 {
    seen.iter().filter(|seen| of(seen)).count() as f64 / seen.len() as f64
}

fn row(name: &str, measured: f64, target: f64, at_least: bool) -> Value {
    let pass = if at_least { measured >= target } else { measured <= target };
    let sign = if at_least { ">=" } else { "<=" };
    println!("| {name} | {measured:.3} | {sign} {target} | {} |", if pass { "met" } else { "missed" });
    json!({ "name": name, "measured": measured, "target": format!("{sign} {target}"), "pass": pass })
}

/// A row without a target.
fn measured(name: &str, measured: f64) -> Value {
    println!("| {name} | {measured:.0} | none | |");
    json!({ "name": name, "measured": measured, "target": "none", "pass": true })
}

/// Nanoseconds to add a view to one of 1,024 pages, the median of nine rounds.
fn cost() -> f64 {
    let mut pages = vec![Strata::<u8>::default(); 1024];
    let views = 200_000_u64;
    let mut round = || {
        let began = Instant::now();
        for view in 0..views {
            let mixed = view.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let time = Duration::from_micros(100_000 + (mixed >> 44));
            let observation = Observation { time, weight: Weight::ONE, first_of_client: true };
            pages[black_box(mixed >> 54) as usize].add((view % 3) as u8, Arm::Helped, &observation);
        }
        began.elapsed().as_nanos() as f64 / views as f64
    };
    let mut rounds: Vec<f64> = (0..9).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
