//! Runs the cases, over a few links at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::link::Conditions;
use crate::link::Link;
use crate::link::check::{judge, measure};
use crate::peers::{Error, find_on_path};

use super::browser::Painted;
use super::case::Case;
use super::contest::CONTESTANTS;
use super::lane::{Lane, Measured, Teaching};
use super::notes::Notes;
use super::site::Site;
use super::view::View;

/// Links that are used at the same time. A load takes some 8 % of a processor, so they do not disturb each other.
const LANES: u16 = 6;

/// Visits from which servers learn before anything is measured.
const TEACHING: Teaching = Teaching { networks: 8, rounds: 2 };

/// All that was measured.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) measured: BTreeMap<Case, Vec<Measured>>,
    /// In the browser.
    pub(crate) painted: BTreeMap<View, Vec<Painted>>,
    pub(crate) notes: Notes,
}

/// Measures every case, then every view in the browser.
pub(crate) fn run(cases: Vec<Case>, views: &[View]) -> Results {
    let results = Mutex::new(Results::default());
    if !cases.is_empty() {
        over_links(cases, &results);
    }
    // A browser needs a processor for itself, and more while it starts: one at a time, and nothing beside it.
    let look = || {
        if let Err(why) = look(views, &results) {
            lock(&results).notes.failed.push(format!("in the browser: {why}"));
        }
    };
    if !views.is_empty() {
        std::thread::scope(|scope| {
            scope.spawn(look);
        });
    }
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn over_links(cases: Vec<Case>, results: &Mutex<Results>) {
    let queue = Mutex::new(VecDeque::from(cases));
    // Links are made here, for what runs in their namespaces lives as long as the thread that started it.
    std::thread::scope(|scope| {
        for number in 0..LANES {
            let queue = &queue;
            scope.spawn(move || {
                if let Err(why) = work(number, queue, results) {
                    lock(results).notes.failed.push(format!("link {number}: {why}"));
                }
            });
        }
    });
}

fn work(number: u16, queue: &Mutex<VecDeque<Case>>, results: &Mutex<Results>) -> Result<(), String> {
    let mut lane = Lane::new(checked_link(number, results)?, number, TEACHING)?;
    let needed = lock(queue).iter().map(|case| (case.contestant, case.think)).collect();
    start_all(&mut lane, needed, results);
    loop {
        let Some(case) = lock(queue).pop_front() else { return Ok(()) };
        if lane.site(case.contestant(), case.think).is_none() {
            continue;
        }
        match case.measure(&mut lane) {
            Ok(measured) => lock(results).measured.entry(case).or_default().push(measured),
            Err(why) => {
                let said = lane.said(case.contestant(), case.think);
                let last = said.lines().last().unwrap_or_default();
                lock(results).notes.failed.push(format!(
                    "{} ({}, {}, {} ms, {} Mbit/s): {why}; it said: {last}",
                    case.contestant().name,
                    case.way.name(),
                    case.visit.name(),
                    case.round_trip,
                    case.rate
                ));
            }
        }
    }
}

/// Looks at pages in the browser.
fn look(views: &[View], results: &Mutex<Results>) -> Result<(), String> {
    for program in ["chromium", "chromedriver"] {
        if find_on_path(program).is_none() {
            lock(results).notes.missing.insert(format!("the rows from headless Chromium: {program} is not installed"));
            return Ok(());
        }
    }
    let mut lane = Lane::new(checked_link(LANES, results)?, LANES, TEACHING)?;
    start_all(&mut lane, views.iter().map(|view| (view.contestant, view.think)).collect(), results);
    for view in views {
        if lane.site(view.contestant(), view.think).is_none() {
            continue;
        }
        match view.measure(&lane) {
            Ok(painted) => lock(results).painted.entry(*view).or_default().push(painted),
            Err(why) => lock(results).notes.failed.push(format!(
                "{} (in the browser, {} ms, {} Mbit/s, thinks {} ms): {why}",
                view.contestant().name,
                view.round_trip,
                view.rate,
                view.think
            )),
        }
    }
    Ok(())
}

fn checked_link(number: u16, results: &Mutex<Results>) -> Result<Link, String> {
    let (link, what) = described_link(number)?;
    lock(results).notes.links.insert(what);
    Ok(link)
}

/// A link, and what it is measured to be, in words.
pub(crate) fn described_link(number: u16) -> Result<(Link, String), String> {
    let (link, why) = Link::best(number.into());
    let conditions = Conditions::new(100, 10);
    let measured = measure(&link, conditions).map_err(|error| error.to_string())?;
    let verdict =
        judge(&measured, conditions).map_or_else(|why| format!("**off: {why}**"), |()| "as it should be".into());
    let because = why.map_or_else(String::new, |why| format!(" (packets cannot be had here: {why})"));
    let what = format!(
        "Link {number}: {}{because}. Set to 100 ms and 10 Mbit/s it measures {:.1} ms and {:.2} Mbit/s, and first flights of {:?} \
         bytes: {verdict}.",
        link.describe(),
        measured.round_trip.as_secs_f64() * 1_000.0,
        measured.bits_per_second / 1e6,
        measured.flights
    );
    Ok((link, what))
}

/// Starts what is needed, by contestant and thinking; a server that is missing is noted, and its cases are left out.
fn start_all(lane: &mut Lane, needed: BTreeSet<(usize, u64)>, results: &Mutex<Results>) {
    let site = Arc::new(Site::new(0));
    for (at, think) in needed {
        let contestant = &CONTESTANTS[at];
        match lane.start(contestant, think, Arc::clone(&site)) {
            Ok(()) => {}
            Err(Error::Missing(name)) => {
                lock(results).notes.missing.insert(format!("{name} is not installed"));
            }
            Err(Error::Failed(why)) => {
                let last = why.lines().last().unwrap_or_default();
                lock(results).notes.missing.insert(format!("{} does not run: {last}", contestant.name));
            }
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
