//! Runs the cases, over a few links at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::link::Conditions;
use crate::link::Link;
use crate::link::check::{judge, measure};
use crate::peers::Error;

use super::case::Case;
use super::contest::CONTESTANTS;
use super::lane::{Lane, Measured};

/// Links that are used at the same time. A load takes next to no processor time, so three do not disturb each other.
const LANES: u16 = 3;

/// All that was measured.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) measured: BTreeMap<Case, Vec<Measured>>,
    /// Servers that did not take part, and loads that failed, in words.
    pub(crate) missing: BTreeSet<String>,
    pub(crate) failed: Vec<String>,
    /// What the links are and what was measured of them.
    pub(crate) links: BTreeSet<String>,
}

/// Measures every case.
pub(crate) fn run(cases: Vec<Case>) -> Results {
    let results = Mutex::new(Results::default());
    let queue = Mutex::new(VecDeque::from(cases));
    // Links are made here, for what runs in their namespaces lives as long as the thread that started it.
    std::thread::scope(|scope| {
        for number in 0..LANES {
            let (results, queue) = (&results, &queue);
            scope.spawn(move || {
                if let Err(why) = work(number, queue, results) {
                    lock(results).failed.push(format!("link {number}: {why}"));
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn work(number: u16, queue: &Mutex<VecDeque<Case>>, results: &Mutex<Results>) -> Result<(), String> {
    let (link, why) = Link::best(number.into());
    let conditions = Conditions::new(100, 10);
    let measured = measure(&link, conditions).map_err(|error| error.to_string())?;
    let verdict =
        judge(&measured, conditions).map_or_else(|why| format!("**off: {why}**"), |()| "as it should be".into());
    let because = why.map_or_else(String::new, |why| format!(" (packets cannot be had here: {why})"));
    lock(results).links.insert(format!(
        "Link {number}: {}{because}. Set to 100 ms and 10 Mbit/s it measures {:.1} ms and {:.2} Mbit/s, and first flights of {:?} \
         bytes: {verdict}.",
        link.describe(),
        measured.round_trip.as_secs_f64() * 1_000.0,
        measured.bits_per_second / 1e6,
        measured.flights
    ));
    let mut lane = Lane::new(link, number)?;
    start_all(&mut lane, &lock(queue).iter().copied().collect::<Vec<_>>(), results);
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
                lock(results).failed.push(format!(
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

/// Starts what the cases need; a server that is missing is noted, and its cases are left out.
fn start_all(lane: &mut Lane, cases: &[Case], results: &Mutex<Results>) {
    let needed: BTreeSet<(usize, u64)> = cases.iter().map(|case| (case.contestant, case.think)).collect();
    for (at, think) in needed {
        let contestant = &CONTESTANTS[at];
        match lane.start(contestant, think) {
            Ok(()) => {}
            Err(Error::Missing(name)) => {
                lock(results).missing.insert(format!("{name} is not installed"));
            }
            Err(Error::Failed(why)) => {
                let last = why.lines().last().unwrap_or_default();
                lock(results).missing.insert(format!("{} does not run: {last}", contestant.name));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
