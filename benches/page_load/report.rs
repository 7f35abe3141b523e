//! Tables, the targets, and rows for the report of all benchmarks.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::case::Visit;
use super::contest::Way;
use super::painted_report;
use super::run::Results;
use super::site::{Page, Site};
use super::summary::Summary;
use super::targets::{AREA, H2, LINK, NOTHING, ORACLE, OURS, THINKING, at_most, flag, publish, rounded};

/// Prints what was measured as Markdown, and writes the rows where `HEADSTART_BENCH_JSON` says.
pub(crate) fn print(results: &Results) {
    results.notes.print();
    let tables: BTreeSet<(Visit, u64, u64, u64)> =
        results.measured.keys().map(|case| (case.visit, case.think, case.rate, case.round_trip)).collect();
    for (visit, think, rate, round_trip) in tables {
        table(results, visit, (round_trip, rate, think));
    }
    painted_report::print(results);
    let mut rows = targets(results);
    rows.extend(painted_report::targets(results));
    publish(rows, measured(results).into_iter().chain(painted_report::measured(results)));
}

fn table(results: &Results, visit: Visit, (round_trip, rate, think): (u64, u64, u64)) {
    let thinks = if think == 0 { String::new() } else { format!(", the server thinks {think} ms over the page") };
    println!("{}, {round_trip} ms, {rate} Mbit/s{thinks}:\n", visit.name());
    println!("| server | way | render, ms | all, ms | spread | KB wasted | KB of bodies | KB on the wire | requests |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut rows = results.of(visit, (round_trip, rate, think));
    rows.sort_by(|a, b| a.2.render.total_cmp(&b.2.render));
    for (name, way, summary) in rows {
        let Summary { render, complete, spread, wasted, data, wire, requests, loads } = summary;
        println!(
            "| {name} | {} | {render:.0} | {complete:.0} | {:.1}% of {loads} | {:.1} | {:.0} | {:.0} | {requests} |",
            way.name(),
            spread * 100.0,
            wasted / 1e3,
            data / 1e3,
            wire / 1e3
        );
    }
    println!();
}

/// The targets, and whether each was reached.
fn targets(results: &Results) -> Vec<Value> {
    let cold = |link, name, way| results.get(Visit::Cold, link, name, way);
    let mut rows = Vec::new();
    let mut at_most = |name: &str, ours: Option<Summary>, peer: Option<Summary>, peer_name: &str, most: f64| {
        let (Some(ours), Some(peer)) = (ours, peer) else { return };
        rows.push(self::at_most(name, ours.render, peer.render, peer_name, most));
    };
    let push = cold(LINK, OURS, Way::Push);
    let hints = cold(LINK, OURS, Way::Hints);
    let nothing = cold(LINK, NOTHING, Way::Plain);
    for (link, what) in [(LINK, ""), (THINKING, " and 200 ms of thinking")] {
        if let Some((name, best)) = best_peer(results, link) {
            let what = format!("cold render with push{what} against the best of all peers");
            // Within the repeatability of the bed.
            at_most(&what, cold(link, OURS, Way::Push), Some(best), &name, 1.01);
        }
    }
    at_most("cold render with push against the oracle", push, cold(LINK, ORACLE, Way::Push), ORACLE, 1.05);
    at_most("cold render with 103 against push", hints, push, "headstart, push", 1.05);
    for (way, ours, most) in [(Way::Push, push, 0.56), (Way::Hints, hints, 0.60), (Way::Plain, nothing, 0.72)] {
        let name = format!("cold render, {} against plain in the order of the h2 crate", way.name());
        at_most(&name, ours, cold(LINK, H2, Way::Plain), H2, most);
    }
    let near = (20, 10, 0);
    at_most(
        "cold render at 20 ms, plain against plain in the order of the h2 crate",
        cold(near, NOTHING, Way::Plain),
        cold(near, H2, Way::Plain),
        H2,
        0.45,
    );
    if let (Some(ours), Some(h2)) = (push, cold(LINK, H2, Way::Plain)) {
        rows.push(flag(
            AREA,
            "cold total time with push, ms",
            ours.complete,
            "<= that of the h2 crate's order",
            ours.complete <= h2.complete * 1.01,
        ));
    }
    for way in [Way::Push, Way::Hints] {
        let (ours, nothing) = (cold(THINKING, OURS, way), cold(THINKING, NOTHING, Way::Plain));
        if let (Some(ours), Some(nothing)) = (ours, nothing) {
            let saved = nothing.render - ours.render;
            let name = format!("saved of a render with 200 ms of thinking, {}, ms", way.name());
            // A round trip, and more than half of the thinking.
            rows.push(flag(AREA, &name, saved, ">= 200", saved >= 200.0));
        }
    }
    rows.extend(waste(results));
    rows
}

/// Waste: the second visit, the second page, and the visit after a deploy.
fn waste(results: &Results) -> Vec<Value> {
    // The page itself, and what of its assets is not held.
    let (site, next) = (Site::new(0), Site::new(1));
    let new_on = |page: &'_ Page| {
        page.assets
            .iter()
            .filter(|asset| site.one().assets.iter().all(|one| one.path != asset.path))
            .cloned()
            .collect::<Vec<_>>()
    };
    let needed = [
        (Visit::Second, site.bytes(site.one(), new_on(site.one()).iter())),
        (Visit::OtherPage, site.bytes(site.two(), new_on(site.two()).iter())),
        (Visit::AfterDeploy, next.bytes(next.one(), new_on(next.one()).iter())),
    ];
    let mut rows = Vec::new();
    for way in [Way::Push, Way::Hints] {
        for (visit, needed) in needed {
            let Some(ours) = results.get(visit, LINK, OURS, way) else { continue };
            let name = format!("{}, {}: bytes sent in vain", visit.name(), way.name());
            rows.push(flag(AREA, &name, ours.wasted, "0", ours.wasted == 0.0));
            let name = format!("{}, {}: bytes of bodies", visit.name(), way.name());
            rows.push(flag(AREA, &name, ours.data, &format!("{needed}: what is not held"), ours.data <= needed as f64));
        }
    }
    rows
}

/// Every case, without a target.
fn measured(results: &Results) -> Vec<Value> {
    let all = results.measured.iter().map(|(case, loads)| {
        let summary = Summary::of(loads);
        let mut name = String::new();
        let _ = write!(
            name,
            "{} {}: {}, {} ms, {} Mbit/s, thinks {} ms",
            case.contestant().name,
            case.way.name(),
            case.visit.name(),
            case.round_trip,
            case.rate,
            case.think
        );
        json!({
            "area": "page-load", "name": name, "unit": "ms", "ours": rounded(summary.render), "peer": null,
            "peer_name": null, "ratio": null, "target": null, "pass": null, "complete": rounded(summary.complete),
            "spread": (summary.spread * 1000.0).round() / 1000.0, "wasted": summary.wasted, "data": summary.data,
            "wire": summary.wire, "requests": summary.requests, "loads": summary.loads,
        })
    });
    all.collect()
}

/// The quickest cold render of a peer, whatever its way.
fn best_peer(results: &Results, link: (u64, u64, u64)) -> Option<(String, Summary)> {
    let peers =
        results.of(Visit::Cold, link).into_iter().filter(|(name, ..)| !name.starts_with(OURS) && *name != ORACLE);
    let best = peers.min_by(|a, b| a.2.render.total_cmp(&b.2.render))?;
    Some((format!("{}, {}", best.0, best.1.name()), best.2))
}
