//! Pages that nobody visits for a while, or seldom.

use std::collections::BTreeSet;

use headstart::learn::{ClientClass, Page, Time};

use super::browser::AUTHORITY;
use super::histories::Histories;
use super::outcome::recall;
use super::row::Row;
use super::simulation::{DAY, MINUTE, Simulation};
use super::visitor::Visitor;

/// Files of which the plan changes when nobody comes.
pub(crate) fn silence(counts: &[u64]) -> Vec<Row> {
    let needs = Histories::needs();
    let mut rows = Vec::new();
    for visits in counts {
        let mut simulation = Simulation::new(21);
        simulation.visits(*visits, MINUTE, |_, _| Visitor::new("/", &needs));
        let history = simulation.snapshot();
        for days in [7, 14] {
            let mut simulation = Simulation::restored(22, &history);
            let before = planned(&simulation);
            simulation.pass(days * DAY);
            let changed = before.symmetric_difference(&planned(&simulation)).count() + needs.len() - before.len();
            let case = format!("{visits} views, then {days} days of silence: files that the plan gains or loses");
            rows.push(Row::at_most(case, changed as f64, "", 0.0));
        }
    }
    rows
}

/// A view now and then.
pub(crate) fn seldom(views: u64) -> Vec<Row> {
    let needs = Histories::needs();
    let mut rows = Vec::new();
    for (days, target) in [(1, 1.0), (3, 1.0), (7, 0.9)] {
        let mut simulation = Simulation::new(23);
        let outcomes = simulation.visits(views, days * DAY, |_, _| Visitor::new("/", &needs));
        let late = outcomes.get(10..).unwrap_or_default();
        rows.push(Row::at_least(format!("a view every {days} days: recall"), recall(late), "", target));
    }
    rows
}

fn planned(simulation: &Simulation) -> BTreeSet<String> {
    let learner = simulation.headstart.learner();
    let Some(site) = learner.known_site(AUTHORITY) else { return BTreeSet::new() };
    let plan = learner.plan(Time::from_millis(simulation.now()), site, Page::from("/"), ClientClass::Other);
    plan.iter().map(|candidate| candidate.path.to_string()).collect()
}
