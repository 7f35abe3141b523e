//! Chromium and Firefox take what they are told as the page's own: nothing is fetched twice, and nothing is warned of.
//!
//! `cargo test` tries 12 ways in Chromium and 6 in Firefox. `cargo xtask browsers` runs this with `--all`, which tries every
//! way in both and writes `crates/server/BROWSERS.md`. A browser that is missing is said loudly; under `CI=true` it is a
//! failure.
#![forbid(unsafe_code)]

mod bed;
mod navigations;
mod row;
mod site;
mod table;
mod ways;

use std::path::Path;

use testkit::browser::{Engine, programs};
use testkit::tools;

use navigations::NAVIGATIONS;
use row::Row;
use site::Page;
use table::Part;
use ways::{RESPONSES, Tested, WAYS};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        // For test runners that ask before they run.
        println!("ways: test");
        return;
    }
    if words.iter().any(|word| word == "--all") {
        let only = words.iter().position(|word| word == "--only").and_then(|at| words.get(at + 1));
        write_table(words.iter().any(|word| word == "--fresh"), only.map_or("", String::as_str));
    } else {
        check_some();
    }
}

/// Every way in both browsers, side by side. `fresh_only` leaves out the pages whose assets are asked for at each use; `only`
/// has parts of the names of ways, with commas between them: the rows of others stay as they are.
fn write_table(fresh_only: bool, only: &str) {
    let ways = WAYS.iter().flat_map(|way| [Page::new(way, true), Page::new(way, false)]);
    let more = RESPONSES.iter().chain(NAVIGATIONS).map(|way| Page::new(way, true));
    let all: Vec<Page> = ways.chain(more).collect();
    let named = |page: &Page| only.split(',').any(|part| page.way.name.contains(part));
    let pages: Vec<Page> = all.iter().filter(|page| (page.fresh || !fresh_only) && named(page)).cloned().collect();
    assert!(!pages.is_empty(), "no way has a name with {only}");
    let parts = side_by_side(|_| pages.clone());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("BROWSERS.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let text = table::text(&parts, &all, &before);
    assert!(parts.len() == 2, "the table needs both browsers; so far:\n{text}");
    std::fs::write(&path, &text).expect("the table is written");
    println!("{text}\nwritten to crates/server/BROWSERS.md");
}

/// Runs the browsers that are there, each with its pages.
fn side_by_side(pages: impl Fn(Engine) -> Vec<Page>) -> Vec<Part> {
    std::thread::scope(|scope| {
        let here = [Engine::Chromium, Engine::Firefox].into_iter().filter(|engine| tools::have(programs(*engine)));
        let running: Vec<_> = here
            .map(|engine| {
                let pages = pages(engine);
                scope.spawn(move || try_pages(engine, &pages))
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a browser's run does not panic")).collect()
    })
}

/// The ways that are tried each time, the browsers side by side.
fn check_some() {
    let parts = side_by_side(|engine| {
        let tested = if engine == Engine::Chromium { Tested::Chromium } else { Tested::Firefox };
        let ways = WAYS.iter().filter(|way| way.tested.contains(&tested));
        ways.map(|way| Page::new(way, true)).collect()
    });
    let mut wrong = Vec::new();
    for Part { engine, rows, .. } in &parts {
        let least = if *engine == Engine::Chromium { 12 } else { 6 };
        assert!(rows.len() >= least, "{} ways in {}", rows.len(), engine.name());
        for (page, row) in rows {
            let name = format!("{}, {}", engine.name(), page.way.name);
            wrong.extend(row.faults.iter().map(|fault| format!("{name}: {fault}")));
            if row.hinted.is_empty() {
                wrong.push(format!("{name}: nothing is hinted"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn try_pages(engine: Engine, pages: &[Page]) -> Part {
    let results = bed::run(engine, pages).unwrap_or_else(|error| panic!("{}: {error}", engine.name()));
    let rows = pages.iter().map(|page| (page.clone(), Row::of(page, &results))).collect();
    Part { engine, results, rows }
}
