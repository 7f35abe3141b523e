//! Tables, the targets, and rows for the report of all benchmarks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contest::OURS;
use super::distribution;
use super::loads::{Loads, Results, Server};
use super::measure::THINKS;
use super::summary::{BEST, Figure, NGINX_PLAIN, OWN_PLAIN, render, servers, total, waste, words};
use crate::page_load::contest::Way;
use crate::page_load::lane::Measured;
use crate::page_load::summary::median;
use crate::page_load::targets::{flag, publish};

const HINTS: Server = (OURS, Way::Hints);
const PUSH: Server = (OURS, Way::Push);

/// Prints what was measured as Markdown, draws it, and writes the rows where `HEADSTART_BENCH_JSON` says.
pub(super) fn print(results: &Results) {
    results.notes.print();
    let mut rows = Vec::new();
    for think in THINKS {
        let pages = results.thinking(think).count();
        if pages == 0 {
            continue;
        }
        let thinks = if think == 0 { "the page at once".into() } else { format!("the page after {think} ms") };
        println!("{pages} pages, cold, 100 ms, 10 Mbit/s, {thinks}. Render, ms, and as a share:\n");
        each_page(results, think);
        println!("Over all pages, render as a share, {thinks}:\n");
        over_all(results, think);
        println!("Until all is there, and bytes wasted, {thinks}:\n");
        totals(results, think);
        rows.extend(targets(results, think));
        if let Some(file) = distribution::draw(results, think) {
            println!("Drawn: {}\n", file.file_name().unwrap_or_default().display());
        }
    }
    publish(rows, results.loads.iter().flat_map(measured));
}

fn each_page(results: &Results, think: u64) {
    println!(
        "| page | KB, of which drawn with | nginx | plain | 103 | push | oracle | plain / nginx | 103 / nginx | push / nginx | \
         103 / plain | push / plain | 103 / oracle | push / oracle |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for loads in results.thinking(think) {
        let time = |server| loads.median(server, render).map_or_else(String::new, |time| format!("{time:.0}"));
        let ratio = |server, against| {
            loads.ratio(server, against, render).map_or_else(String::new, |ratio| format!("{ratio:.3}"))
        };
        println!(
            "| {} {} | {:.0}, {:.0} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            loads.shape,
            loads.kind,
            loads.bytes as f64 / 1e3,
            loads.critical_bytes as f64 / 1e3,
            time(NGINX_PLAIN),
            time(OWN_PLAIN),
            time(HINTS),
            time(PUSH),
            time(BEST),
            ratio(OWN_PLAIN, NGINX_PLAIN),
            ratio(HINTS, NGINX_PLAIN),
            ratio(PUSH, NGINX_PLAIN),
            ratio(HINTS, OWN_PLAIN),
            ratio(PUSH, OWN_PLAIN),
            ratio(HINTS, BEST),
            ratio(PUSH, BEST),
        );
    }
    println!();
}

fn over_all(results: &Results, think: u64) {
    println!("| server | against | median | quartiles | worst | at most 1.02 | at most 1.05 |");
    println!("|---|---|---:|---:|---:|---:|---:|");
    for server in servers(results) {
        for (against, name) in [(NGINX_PLAIN, "nginx"), (OWN_PLAIN, "our own plain"), (BEST, "the oracle")] {
            let Some(spread) = results.spread(think, server, against, render).filter(|_| server != against) else {
                continue;
            };
            println!(
                "| {} | {name} | {:.3} | {:.3} to {:.3} | {:.3} | {:.0} % | {:.0} % |",
                words(server),
                spread.median(),
                spread.at(0.25),
                spread.at(0.75),
                spread.worst(),
                spread.share_of(1.02) * 100.0,
                spread.share_of(1.05) * 100.0
            );
        }
    }
    println!();
}

fn totals(results: &Results, think: u64) {
    println!("| server | total against nginx: median | worst | wasted, KB a page: cold | worst | returning | worst |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for server in servers(results) {
        let Some(spread) = results.spread(think, server, NGINX_PLAIN, total) else { continue };
        let cold = results.thinking(think).filter_map(|loads| loads.median(server, waste));
        let returning = results.thinking(think).filter_map(|loads| loads.returning.get(&server).map(waste));
        let (cold, returning): (Vec<f64>, Vec<f64>) = (cold.collect(), returning.collect());
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
        let worst = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
        println!(
            "| {} | {:.3} | {:.3} | {:.1} | {:.1} | {:.1} | {:.1} |",
            words(server),
            spread.median(),
            spread.worst(),
            mean(&cold),
            worst(&cold),
            mean(&returning),
            worst(&returning)
        );
    }
    println!();
}

/// What was asked for, and whether it was reached.
fn targets(results: &Results, think: u64) -> Vec<Value> {
    let after = if think == 0 { String::new() } else { format!(" with {think} ms of thinking") };
    let mut rows = Vec::new();
    for (server, way) in [(HINTS, "103"), (PUSH, "push")] {
        let spread = |against| results.spread(think, server, against, render);
        let mut add = |what: &str, ours: f64, target: &str, pass: bool| {
            rows.push(flag("pages", &format!("{way}{after}: {what}"), ours, target, pass));
        };
        if let Some(plain) = spread(OWN_PLAIN) {
            let share = plain.share_of(1.02);
            add("share of pages within 2 % of our own plain", share, ">= 0.95", share >= 0.95);
            let worst = plain.worst();
            add("worst page against our own plain", worst, "<= 1.05", worst <= 1.05);
        }
        if let Some(best) = spread(BEST) {
            let share = best.share_of(1.05);
            add("share of pages within 5 % of the oracle", share, ">= 0.9", share >= 0.9);
        }
        if let (Some(ours), Some(best)) = (spread(NGINX_PLAIN), results.spread(think, BEST, NGINX_PLAIN, render)) {
            let (median, oracle) = (ours.median(), best.median());
            let most = if think == 0 { 0.65 } else { 0.60 };
            let what = format!("median against nginx, the oracle's being {oracle:.3}");
            add(&what, median, &format!("<= {most}"), median <= most);
            add("median less the oracle's, of nginx", median - oracle, "<= 0.02", median - oracle <= 0.02);
        }
    }
    rows
}

/// A page's loads, without a target.
fn measured(loads: &Loads) -> Vec<Value> {
    let row = |(server, all): (&Server, &BTreeMap<usize, Measured>)| {
        let of = |figure: Figure| thousandths(median(all.values().map(figure).collect()));
        json!({
            "area": "pages", "name": format!("{} ({}), thinks {} ms: {}", loads.shape, loads.kind, loads.think, words(*server)),
            "unit": "ms", "ours": of(render), "peer": loads.median(NGINX_PLAIN, render).map(thousandths),
            "peer_name": "nginx", "ratio": loads.ratio(*server, NGINX_PLAIN, render).map(thousandths), "target": null,
            "pass": null, "total": of(total), "wasted_kb": of(waste), "loads": all.len(),
            "wasted_kb_returning": loads.returning.get(server).map(waste).map(thousandths),
        })
    };
    loads.cold.iter().map(row).collect()
}

fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
