//! The cost of one operation as the number of pages grows, and that of connections.

use std::hint::black_box;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use headstart_benches::rows;
use headstart_learn::{ClientClass, Learner, Page, Referrer, ReferrerPolicy, Site, Time};

use super::plot::{self, Labels, Line};
use super::table::Table;
use super::{BASE, best, config, fetch, navigation, visit_page};

/// Assets of a page.
const ASSETS: usize = 4;

/// The largest table has so many pages, as a power of ten.
const LARGEST: u32 = 7;

/// Pages of the hot set.
const HOT: usize = 500;

/// Clients where their number is not the matter.
const FEW: u64 = 8;

/// The most connections, as a power of ten.
const MANY: u32 = 4;

/// Takes plans and learns visits in tables of 10^3 to 10^`decades` pages: at random over all, where
/// the time is that of cache misses as the table outgrows the caches, and over a hot
/// set of 500 pages spread over the same table, where nothing may depend on its size.
pub(crate) fn by_pages(table: &mut Table, rounds: usize, decades: u32) {
    let mut lines = [
        line("plan, at random over all pages", "#1f5fbf", true),
        line("plan, over 500 hot pages", "#1f5fbf", false),
        line("record, at random over all pages", "#c2571a", true),
        line("record, over 500 hot pages", "#c2571a", false),
    ];
    for pages in (3..=decades).map(|decade| 10usize.pow(decade)) {
        let names: Vec<String> = (0..pages).map(|n| format!("/page-{}/{n}", n % 997)).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        // Pages far from one another in the order in which they came.
        let hot: Vec<String> = names.iter().step_by(pages / HOT).take(HOT).cloned().collect();
        let hot: Vec<&str> = hot.iter().map(String::as_str).collect();
        let (learner, site) = filled(&all);
        let took = [
            plan(&learner, site, &all, rounds),
            plan(&learner, site, &hot, rounds),
            record(&learner, site, &all, FEW, rounds),
            record(&learner, site, &hot, FEW, rounds),
        ];
        for (line, took) in lines.iter_mut().zip(took) {
            table.row(&format!("{}, of {pages}", line.name), took, None, None);
            line.points.push((pages as f64, took.as_nanos() as f64));
        }
    }
    for line in lines.iter().filter(|line| !line.dashed) {
        let cost = |at: usize| line.points.get(at).map_or(f64::NAN, |point| point.1);
        let name = format!("{}: 10^{decades} against 10^3", line.name);
        table.quantity(&name, cost(line.points.len() - 1) / cost(0), "times", Some(1.25));
    }
    let title = "Cost of an operation by the size of the table";
    draw("learn-cost.svg", title, "pages in the table", 3..=decades, &lines);
    if decades < LARGEST {
        table.note(format!("Tables of 10^{LARGEST} pages are measured in a full run with 12 GiB of memory to spare."));
    }
    table.note("`record` is one asset request with its share of opening and learning a visit of four.");
    table.note("![Cost of taking a plan and of recording, by pages in the table](learn-cost.svg)");
}

/// The same where 1 to 10^4 connections have a visit of one of a thousand pages open, and each of them in turn goes on to
/// another page.
pub(crate) fn by_connections(table: &mut Table, rounds: usize) {
    let names: Vec<String> = (0..1_000).map(|n| format!("/page-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (learner, site) = filled(&names);
    let mut lines = [line("plan", "#1f5fbf", false), line("record", "#c2571a", false)];
    for connections in (0..=MANY).map(|decade| 10u64.pow(decade)) {
        let record = record(&learner, site, &names, connections, rounds);
        for client in 0..connections {
            let visit = learner.navigate(now(), &navigation(site, names[client as usize % names.len()], client));
            learner.confirm(now(), visit, ReferrerPolicy::Unknown);
        }
        let plan = plan(&learner, site, &names, rounds);
        learner.finish(now());
        for (line, took) in lines.iter_mut().zip([plan, record]) {
            table.row(&format!("{}, {connections} connections", line.name), took, None, None);
            line.points.push((connections as f64, took.as_nanos() as f64));
        }
    }
    let [plan, _] = &lines;
    let cost = |at: usize| plan.points.get(at).map_or(f64::NAN, |point| point.1);
    table.quantity("plan: 10^4 connections against 1", cost(MANY as usize) / cost(0), "times", Some(1.25));
    let title = "Cost of an operation by connections with a visit open";
    draw("learn-connections.svg", title, "connections", 0..=MANY, &lines);
    table.note("![Cost of taking a plan and of recording, by connections](learn-connections.svg)");
}

/// Draws lines over powers of ten beside the rows of the report.
fn draw(file: &str, title: &'static str, x: &'static str, decades: RangeInclusive<u32>, lines: &[Line]) {
    let path = rows::beside(file);
    let power = |decade: u32| format!("10<tspan dy=\"-5\" font-size=\"10\">{decade}</tspan>");
    let marks: Vec<(f64, String)> = decades.map(|decade| (10f64.powi(decade.cast_signed()), power(decade))).collect();
    let labels = Labels { title, x, y: "nanoseconds an operation" };
    std::fs::write(&path, plot::svg(&labels, &marks, lines))
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The largest table that a run can afford.
pub(crate) fn decades(quick: bool) -> u32 {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib: u64 = available.and_then(|kib| kib.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    match quick {
        true => 5,
        false if kib < 12 << 20 => 6,
        false => LARGEST,
    }
}

fn line(name: &'static str, colour: &'static str, dashed: bool) -> Line {
    Line { name, colour, dashed, points: Vec::new() }
}

/// A learner that has planned each of these pages.
fn filled(names: &[&str]) -> (Learner, Site) {
    let config = config().memory_bytes(16 << 30).max_pages((2 * names.len()).min(1 << 24));
    let learner = Learner::new(config.build().expect("the settings are in range"));
    let site = learner.site("example.org").expect("there is room");
    for (n, name) in names.iter().enumerate() {
        for visit in 0..2 {
            visit_page(&learner, site, name, (2 * n + visit) as u64, BASE, ASSETS);
        }
        learner.finish(Time::from_millis(BASE));
    }
    for name in names {
        assert_eq!(learner.plan(now(), site, Page::from(*name), ClientClass::Other).len(), ASSETS, "{name}");
    }
    (learner, site)
}

fn plan(learner: &Learner, site: Site, names: &[&str], rounds: usize) -> Duration {
    let mut pick = Pick(1);
    best(rounds, || {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(learner.plan(now(), site, Page::from(pick.of(names)), ClientClass::Other));
        }
        start.elapsed() / CALLS
    })
}

/// Visits by so many clients in turn, each of which ends the client's last: a request with its
/// share of the visit.
fn record(learner: &Learner, site: Site, names: &[&str], clients: u64, rounds: usize) -> Duration {
    let assets: Vec<String> = (0..ASSETS).map(super::asset_name).collect();
    let mut pick = Pick(2);
    let before = learner.stats().learned;
    let took = best(rounds, || {
        let visits = CALLS / ASSETS as u32;
        let start = Instant::now();
        for n in 0..visits {
            let client = u64::from(n) % clients;
            let page = pick.of(names);
            let visit = learner.navigate(now(), &navigation(site, page, client));
            learner.confirm(now(), visit, ReferrerPolicy::Unknown);
            // Requests name their page, as the client has just left another at this very moment.
            for asset in &assets {
                learner.fetched(now(), &fetch(site, asset, client, Referrer::Path(page)));
            }
        }
        start.elapsed() / CALLS
    });
    learner.finish(now());
    assert_eq!(learner.stats().learned - before, u64::from(CALLS) / ASSETS as u64 * rounds as u64);
    took
}

/// Operations of a round.
const CALLS: u32 = 200_000;

fn now() -> Time {
    Time::from_millis(BASE + 1_000)
}

/// Names at random.
struct Pick(u64);

impl Pick {
    fn of<'a>(&mut self, names: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        names[(self.0 >> 33) as usize % names.len()]
    }
}
