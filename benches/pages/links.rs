//! Pages over links that lose, delay and vary: early delivery must not lose there what it wins elsewhere.

use serde_json::{Value, json};

use super::contest::{CONTESTANTS, OURS, PAIRED};
use super::link_case::{FAULTY, LinkCase};
use super::loads::{Loads, Results, Server};
use super::measure::{self, Job, Rounds, THINKS};
use super::shape::{self, Shape};
use super::summary::{BEST, NGINX_PLAIN, OWN_PLAIN, render};
use crate::page_load::contest::Way;
use crate::page_load::targets::{flag, judge};

const HINTS: Server = (OURS, Way::Hints);
const PUSH: Server = (OURS, Way::Push);
/// A ratio of medians of so few loads is that far off by chance.
const NOISE: f64 = 1.05;

/// Runs it and prints the report.
pub(super) fn run(quick: bool) {
    let all = shape::all().expect("the shapes can be read");
    // The twelfth and the twenty-second of the list; the latter has half the bytes.
    let pages: Vec<&Shape> = all.iter().skip(if quick { 21 } else { 11 }).step_by(10).take(2).collect();
    let thinks = if quick { &THINKS[..1] } else { &THINKS[..] };
    let of_link = |link: &LinkCase| {
        let link = *link;
        pages.iter().flat_map(move |shape| thinks.iter().map(move |think| Job { shape, think: *think, link }))
    };
    let jobs = FAULTY.iter().flat_map(of_link).collect();
    let contestants = &CONTESTANTS[..PAIRED];
    let rounds = Rounds { count: if quick { 2 } else { 5 }, contestants, returning: false };
    print(&measure::run(jobs, rounds));
}

fn print(results: &Results) {
    results.notes.print();
    println!(
        "| link | page | thinks, ms | plain, ms | 103 / plain | push / plain | oracle / plain | 103 / nginx | push / nginx |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut rows = Vec::new();
    for link in FAULTY {
        for loads in results.loads.iter().filter(|loads| loads.link == link.name) {
            print_row(loads);
            rows.extend(row(loads));
        }
    }
    println!();
    let targets = targets(results);
    judge(&targets);
    rows.splice(0..0, targets);
    crate::rows::write(&format!("{:#}\n", Value::Array(rows)));
}

fn print_row(loads: &Loads) {
    let ratio =
        |server, against| loads.ratio(server, against, render).map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    println!(
        "| {} | {} {} | {} | {:.0} | {} | {} | {} | {} | {} |",
        loads.link,
        loads.shape,
        loads.kind,
        loads.think,
        loads.median(OWN_PLAIN, render).unwrap_or_default(),
        ratio(HINTS, OWN_PLAIN),
        ratio(PUSH, OWN_PLAIN),
        ratio(BEST, OWN_PLAIN),
        ratio(HINTS, NGINX_PLAIN),
        ratio(PUSH, NGINX_PLAIN),
    );
}

/// For each link and way: no page is slower than without.
fn targets(results: &Results) -> Vec<Value> {
    let mut rows = Vec::new();
    for link in FAULTY {
        for (server, way) in [(HINTS, "103"), (PUSH, "push")] {
            let loads = results.loads.iter().filter(|loads| loads.link == link.name);
            let ratios: Vec<f64> = loads.filter_map(|loads| loads.ratio(server, OWN_PLAIN, render)).collect();
            if let Some(worst) = ratios.iter().copied().reduce(f64::max) {
                let name = format!("{}: worst page with {way} against our own plain", link.name);
                rows.push(flag("links", &name, worst, &format!("<= {NOISE}"), worst <= NOISE));
            }
        }
    }
    rows
}

fn row(loads: &Loads) -> impl Iterator<Item = Value> {
    loads.cold.keys().filter_map(|server| {
        let time = loads.median(*server, render)?;
        let name =
            format!("{}, {}, thinks {} ms: {} {}", loads.link, loads.shape, loads.think, server.0, server.1.name());
        Some(json!({
            "area": "links", "name": name, "unit": "ms", "ours": rounded(time),
            "peer": loads.median(NGINX_PLAIN, render).map(rounded), "peer_name": "nginx",
            "ratio": loads.ratio(*server, NGINX_PLAIN, render).map(rounded), "target": null, "pass": null,
        }))
    })
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
