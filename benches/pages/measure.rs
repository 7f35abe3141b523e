//! Loads the pages, a few links at a time: one job on each, by all servers in turn.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::contest::PAIRED;
use super::link_case::{EVEN, LinkCase};
use super::loads::{Loads, Results};
use super::shape::Shape;
use super::site;
use super::summary::render;
use crate::link::Conditions;
use crate::page_load::contest::{Contestant, Way};
use crate::page_load::lane::{Lane, Measured, Teaching};
use crate::page_load::run::{described_link, lock};
use crate::page_load::site::Site;
use crate::peers::Error;

/// Links that are used at the same time. A load takes some 8 % of a processor.
const LANES: u16 = 6;
/// How long servers think over a page, ms.
pub(super) const THINKS: [u64; 2] = [0, 200];
/// Twelve visits, each from a network of its own.
pub(super) const TEACHING: Teaching = Teaching { networks: 12, rounds: 1 };
/// A visit is learned when nothing has come of it for 4 s; until the last one is, nothing is measured.
pub(super) const LEARNED_AFTER: Duration = Duration::from_millis(4_500);

/// A page, loaded from servers that think so long over it, over a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    pub(super) shape: &'a Shape,
    /// ms.
    pub(super) think: u64,
    pub(super) link: LinkCase,
}

/// The rounds of loads, and who takes part in them.
#[derive(Clone, Copy)]
pub(super) struct Rounds {
    pub(super) count: usize,
    pub(super) contestants: &'static [Contestant],
    /// Whether clients come again at the end.
    pub(super) returning: bool,
}

/// Does all jobs.
pub(super) fn run(mut jobs: Vec<Job<'_>>, rounds: Rounds) -> Results {
    // The longest first, so that no link is left with it at the end.
    let bytes = |shape: &Shape| shape.html.sent + shape.resources.iter().map(|one| one.bytes.sent).sum::<usize>();
    jobs.sort_by_key(|job| std::cmp::Reverse(bytes(job.shape) as u64 * 1_000 / job.link.kilobits));
    let queue = Mutex::new(VecDeque::from(jobs));
    let results = Mutex::new(Results::default());
    std::thread::scope(|scope| {
        for number in 0..LANES {
            let (queue, results) = (&queue, &results);
            scope.spawn(move || {
                if let Err(why) = work(number, queue, rounds, results) {
                    lock(results).notes.failed.push(format!("link {number}: {why}"));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.loads.sort_by(|a, b| (&a.shape, a.think).cmp(&(&b.shape, b.think)));
    results
}

fn work(number: u16, queue: &Mutex<VecDeque<Job<'_>>>, rounds: Rounds, results: &Mutex<Results>) -> Result<(), String> {
    let (link, what) = described_link(number)?;
    lock(results).notes.links.insert(what);
    let mut lane = Lane::new(link, number, TEACHING)?;
    let mut congestion_control = EVEN.congestion_control;
    loop {
        let Some(job) = lock(queue).pop_front() else { return Ok(()) };
        if job.link.congestion_control != congestion_control {
            if let Err(error) = lane.link.set_congestion_control(job.link.congestion_control) {
                lock(results).notes.missing.insert(format!("{}: {error}", job.link.name));
                continue;
            }
            congestion_control = job.link.congestion_control;
        }
        let loads = load(&mut lane, job, rounds, results);
        lane.clear();
        eprintln!("{}", line(&loads));
        lock(results).loads.push(loads);
    }
}

fn load(lane: &mut Lane, job: Job<'_>, rounds: Rounds, results: &Mutex<Results>) -> Loads {
    let Job { shape, think, link } = job;
    let site = Arc::new(site::of(shape));
    let mut loads = Loads {
        shape: shape.id.clone(),
        kind: shape.kind.clone(),
        think,
        link: link.name,
        bytes: site.bytes(site.one(), site.one().assets.iter()),
        critical_bytes: site.bytes(site.one(), site.one().critical()),
        cold: BTreeMap::new(),
        returning: BTreeMap::new(),
    };
    // For a look at a few servers.
    let only = std::env::var("HEADSTART_PAGES_SERVERS").ok();
    let takes_part = |one: &Contestant| only.as_ref().is_none_or(|only| only.split(';').any(|name| name == one.name));
    let mut all: Vec<(usize, &Contestant, Way)> = Vec::new();
    let mut taught = Instant::now();
    for (at, one) in rounds.contestants.iter().enumerate().filter(|(_, one)| takes_part(one)) {
        match lane.start(one, think, Arc::clone(&site)) {
            Ok(()) => {
                all.extend(one.ways.iter().map(|way| (at, one, *way)));
                taught = if one.learns.is_some() { Instant::now() } else { taught };
            }
            Err(Error::Missing(name)) => {
                lock(results).notes.missing.insert(format!("{name} is not installed"));
            }
            Err(Error::Failed(why)) => {
                let last = why.lines().last().unwrap_or_default();
                lock(results).notes.missing.insert(format!("{}, {}: it does not run: {last}", shape.id, one.name));
            }
        }
    }
    std::thread::sleep(LEARNED_AFTER.saturating_sub(taught.elapsed()));
    // Visits are learned with the next one, which gets the plan from before.
    let quick = Conditions::new(2, 1_000);
    for one in rounds.contestants.iter().filter(|one| one.learns.is_some() && takes_part(one)) {
        if let Err(why) = lane.load(one, think, &mut lane.profile(Way::Plain), Site::one, quick) {
            fail(results, shape, think, (one, Way::Plain), &why);
        }
    }
    for round in 0..rounds.count {
        // Nobody is always first.
        let turn = round % all.len().max(1);
        all.rotate_left(turn);
        for (at, one, way) in &all {
            if *at >= PAIRED && round % 3 != 0 {
                continue;
            }
            match lane.crowd(one, think, *way, link.clients, link.conditions(round)) {
                Ok(measured) => {
                    if round == 0 && std::env::var_os("HEADSTART_PAGES_SAID").is_some() {
                        eprintln!("{}", waterfall(shape, think, (one, *way), &measured));
                    }
                    loads.cold.entry((one.name, *way)).or_default().insert(round, measured);
                }
                Err(why) => fail(results, shape, think, (one, *way), &why),
            }
        }
    }
    for (_, one, way) in all.into_iter().filter(|_| rounds.returning) {
        let mut profile = lane.profile(way);
        let first = lane.load(one, think, &mut profile, Site::one, quick);
        match first.and_then(|_| lane.load(one, think, &mut profile, Site::one, link.conditions(0))) {
            Ok(measured) => {
                loads.returning.insert((one.name, way), measured);
            }
            Err(why) => fail(results, shape, think, (one, way), &why),
        }
    }
    if std::env::var_os("HEADSTART_PAGES_SAID").is_some() {
        for one in rounds.contestants.iter().filter(|one| takes_part(one)) {
            eprintln!("{} {think} {}: {}", shape.id, one.name, lane.said(one, think));
        }
    }
    loads
}

fn fail(results: &Mutex<Results>, shape: &Shape, think: u64, (one, way): (&Contestant, Way), why: &str) {
    let way = way.name();
    lock(results).notes.failed.push(format!("{} ({way}), {}, thinks {think} ms: {why}", one.name, shape.id));
}

/// What came when, for a look at a page.
fn waterfall(shape: &Shape, think: u64, (one, way): (&Contestant, Way), measured: &Measured) -> String {
    let mut text = format!(
        "{}, thinks {think} ms, {} ({}): ms asked for, first byte, last byte\n",
        shape.id,
        one.name,
        way.name()
    );
    let blocks = |path: &str| shape.resources.iter().any(|resource| resource.blocking && site::path(resource) == path);
    for bar in &measured.load.waterfall {
        let millis = |time: Duration| time.as_millis();
        let (began, first, ended) = (millis(bar.began), millis(bar.first_byte), millis(bar.ended));
        let blocks = if blocks(&bar.path) { "blocks" } else { "" };
        let _ = writeln!(text, "{began:6} {first:6} {ended:6} {:8} {:7} {} {blocks}", bar.bytes, bar.how, bar.path);
    }
    text
}

/// The render times, for whoever waits for the end.
fn line(loads: &Loads) -> String {
    let times = loads.cold.keys().filter_map(|server| {
        let time = loads.median(*server, render)?;
        Some(format!("{} ({}) {time:.0}", server.0, server.1.name()))
    });
    format!("{}, {}, thinks {} ms: {}", loads.shape, loads.link, loads.think, times.collect::<Vec<_>>().join(", "))
}
