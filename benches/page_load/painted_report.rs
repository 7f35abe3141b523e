//! The browser's paint times, as tables and rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::browser::Painted;
use super::run::Results;
use super::summary::{median, spread};
use super::targets::{LINK, NOTHING, OURS, THINKING, at_most};
use super::view::View;

/// The loads of one view: medians, ms.
#[derive(Clone, Copy)]
struct Shown {
    paint: f64,
    main: f64,
    load: f64,
    /// From the quickest to the slowest run of the main module, as a share of the median.
    spread: f64,
    loads: usize,
}

impl Shown {
    fn of(loads: &[Painted]) -> Self {
        let all = |value: fn(&Painted) -> f64| loads.iter().map(value).collect::<Vec<f64>>();
        Self {
            paint: median(all(|one| one.paint)),
            main: median(all(|one| one.main.unwrap_or(f64::NAN))),
            load: median(all(|one| one.load)),
            spread: spread(&all(|one| one.main.unwrap_or(f64::NAN))),
            loads: loads.len(),
        }
    }
}

/// Prints a table for each link.
pub(crate) fn print(results: &Results) {
    let links: BTreeSet<(u64, u64, u64)> = results.painted.keys().map(link).collect();
    for (round_trip, rate, think) in links {
        let thinks = if think == 0 { String::new() } else { format!(", the server thinks {think} ms over the page") };
        println!("cold, in headless Chromium, {round_trip} ms, {rate} Mbit/s{thinks}:\n");
        println!("| server | way | largest paint, ms | main module ran, ms | load event, ms | spread |");
        println!("|---|---|---:|---:|---:|---:|");
        let here = results.painted.iter().filter(|(view, _)| link(view) == (round_trip, rate, think));
        let mut rows: Vec<(&View, Shown)> = here.map(|(view, loads)| (view, Shown::of(loads))).collect();
        rows.sort_by(|a, b| a.1.main.total_cmp(&b.1.main));
        for (view, Shown { paint, main, load, spread, loads }) in rows {
            println!(
                "| {} | {} | {paint:.0} | {main:.0} | {load:.0} | {:.1}% of {loads} |",
                view.contestant().name,
                view.way().name(),
                spread * 100.0
            );
        }
        println!();
    }
}

/// 103 is to be no slower than nothing in a browser either.
pub(crate) fn targets(results: &Results) -> Vec<Value> {
    let mut rows = Vec::new();
    for (far, thinks) in [(LINK, ""), (THINKING, " with 200 ms of thinking")] {
        let of = |name| {
            let mut all = results.painted.iter();
            all.find(|(view, _)| link(view) == far && view.contestant().name == name).map(|(_, loads)| Shown::of(loads))
        };
        let (Some(ours), Some(nothing)) = (of(OURS), of(NOTHING)) else { continue };
        let mut compare = |what: &str, ours: f64, nothing: f64, most: f64| {
            let name = format!("in Chromium, {what}{thinks}, 103 against nothing sent early");
            rows.push(at_most(&name, ours, nothing, NOTHING, most));
        };
        compare("largest paint", ours.paint, nothing.paint, 1.0);
        compare("main module ran", ours.main, nothing.main, 1.0);
        // After all bytes, of which there are as many: the same, within what a browser varies by.
        compare("load event", ours.load, nothing.load, 1.05);
    }
    rows
}

/// Every view, without a target.
pub(crate) fn measured(results: &Results) -> Vec<Value> {
    let all = results.painted.iter().map(|(view, loads)| {
        let shown = Shown::of(loads);
        let name = format!(
            "{} {} in Chromium: cold, {} ms, {} Mbit/s, thinks {} ms",
            view.contestant().name,
            view.way().name(),
            view.round_trip,
            view.rate,
            view.think
        );
        json!({
            "area": "page-load", "name": name, "unit": "ms", "ours": shown.main.round(), "peer": null, "peer_name": null,
            "ratio": null, "target": null, "pass": null, "paint": shown.paint.round(), "load": shown.load.round(),
            "spread": (shown.spread * 1000.0).round() / 1000.0, "loads": shown.loads,
        })
    });
    all.collect()
}

fn link(view: &View) -> (u64, u64, u64) {
    (view.round_trip, view.rate, view.think)
}
