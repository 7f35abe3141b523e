//! What learning as one costs each server of a fleet: `cargo xtask bench fleet`.
//!
//! Three parts: real servers through a real `redis-server`, whose listener has no load of its own, so that what it uses is
//! for the fleet; the real code of members in simulated time, up to 1,000 of them over 100,000 pages; and what one engine
//! carries when so many read all that they may. With `-- PART` (`processes`, `simulation`, `engine`) only that part.

mod engine;
mod processes;
mod simulation;
mod site;
#[path = "../../crates/fleet/tests/support/mod.rs"]
mod support;

use headstart_benches::plot::{Labels, Line, svg};
use headstart_benches::rows;
use serde_json::{Value, json};

/// Bytes a second that a server reads at most.
const READ_LIMIT: f64 = 64.0 * 1024.0;
/// Percent of a core that a fleet may cost a server.
const CPU_LIMIT: f64 = 1.0;
/// Seconds that evidence may be old at ten servers.
const AGE_LIMIT: f64 = 20.0;

/// What was measured of one fleet.
struct Measured {
    servers: usize,
    /// Bytes a second.
    told: f64,
    read: f64,
    /// Percent of a core.
    cpu: f64,
    /// Seconds from sending an entry to its being read, the worst.
    lag: f64,
    /// Seconds until a new page is planned everywhere, the worst of the pages tried.
    everywhere: Option<f64>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let quick = words.iter().any(|word| word == "--quick");
    let parts = ["processes", "simulation", "engine"];
    let named = |part: &str| words.iter().any(|word| word == part);
    let wanted = |part| named(part) || !parts.iter().any(|part| named(part));
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    if wanted("processes") {
        let counts: &[usize] = if quick { &[1, 3] } else { &[1, 3, 10] };
        lines.push(line("real servers and Redis", "#1b6ca8", &part("processes", counts, processes::measure, &mut all)));
    }
    if wanted("simulation") {
        let counts: &[usize] = if quick { &[3, 10] } else { &[3, 10, 30, 100, 1000] };
        lines.push(line("simulated time", "#c0392b", &part("simulation", counts, simulation::measure, &mut all)));
    }
    if wanted("engine") {
        let counts: &[usize] = if quick { &[10] } else { &[10, 100, 1000] };
        all.extend(engine::measure(counts));
    }
    if lines.len() == 2 {
        let labels = Labels {
            title: "Time until a new page is planned at every server",
            x: "servers",
            y: "seconds, the slowest of the pages tried",
        };
        let marks: Vec<(f64, String)> = [1u32, 3, 10, 30, 100, 1000].map(|n| (n.into(), n.to_string())).into();
        std::fs::write(rows::beside("fleet-new-page.svg"), svg(&labels, &marks, &lines)).expect("a file");
    }
    rows::write(&serde_json::to_string_pretty(&all).expect("rows are JSON"));
    assert!(quick || all.iter().all(|row| row["pass"] != false), "a limit is not kept");
}

fn line(name: &'static str, colour: &'static str, measured: &[Measured]) -> Line {
    let points = measured.iter().filter_map(|row| Some((row.servers as f64, row.everywhere?))).collect();
    Line { name, colour, dashed: false, points }
}

/// Measures fleets of some sizes, prints a table of them and adds rows.
fn part(name: &str, counts: &[usize], measure: impl Fn(usize) -> Measured, rows: &mut Vec<Value>) -> Vec<Measured> {
    println!(
        "\n| {name}: servers | KiB/s told | KiB/s read | % of a core | s until read, at most | s until a new page is planned \
         everywhere |\n|---:|---:|---:|---:|---:|---:|"
    );
    let mut all = Vec::new();
    for count in counts {
        let one = measure(*count);
        let everywhere = one.everywhere.map_or("never".to_owned(), |seconds| format!("{seconds:.1}"));
        println!(
            "| {count} | {:.2} | {:.1} | {:.2} | {:.1} | {everywhere} |",
            one.told / 1024.0,
            one.read / 1024.0,
            one.cpu,
            one.lag
        );
        let row = |what: &str, unit: &str, ours: f64, limit: Option<f64>| {
            json!({ "area": "fleet", "name": format!("{what}, {count} servers ({name})"), "unit": unit, "ours": ours,
                "target": limit.map(|limit| format!("<= {limit}")), "pass": limit.map(|limit| ours <= limit) })
        };
        rows.push(row("read", "bytes/s", one.read, Some(READ_LIMIT * 1.05)));
        rows.push(row("told", "bytes/s", one.told, None));
        rows.push(row("processor", "% of a core", one.cpu, Some(CPU_LIMIT)));
        rows.push(row("age when read", "s", one.lag, (*count <= 10).then_some(AGE_LIMIT)));
        rows.push(row("until a new page is planned everywhere", "s", one.everywhere.unwrap_or(f64::MAX), None));
        all.push(one);
    }
    all
}
