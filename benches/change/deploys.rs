//! Names that change: all of them, or one that is new.

use super::curve::Curve;
use super::histories::Histories;
use super::outcome::{junk, since};
use super::row::Row;
use super::simulation::{MINUTE, SECOND};
use super::visitor::{Visitor, files};

/// Milliseconds between two views.
pub(crate) const PACES: [(u64, &str); 3] = [(10 * MINUTE, "10 min"), (MINUTE, "min"), (SECOND, "s")];

/// All names are new and the old files are gone, with fingerprints and without.
pub(crate) fn all_names(histories: &mut Histories, paces: &[(u64, &str)], curves: &mut Vec<Curve>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (new, kind) in [(files("a", 12, "9f8e7d6c"), "fingerprints"), (files("b", 12, "min"), "names")] {
        for (every, pace) in paces {
            let mut simulation = histories.after(*every, 11);
            simulation.gone.extend(Histories::needs());
            let count = if *every <= SECOND { 120 } else { 60 };
            let outcomes = simulation.visits(count, *every, |_, _| Visitor::new("/", &new));
            let first = since(&outcomes, |outcome| outcome.recall() > 0.95 && outcome.junk() == 0);
            let case = format!("deploy, all {kind} new, old files gone, 1 view per {pace}: right from view");
            // At a view a second the visitors of the first seconds are still there when the next ones come.
            rows.push(Row::at_most(case, first as f64, "", if *every <= SECOND { 10.0 } else { 5.0 }));
            let late = outcomes.get(first..).unwrap_or_default();
            let case = format!("deploy, all {kind} new, old files gone, 1 view per {pace}: junk a view after that");
            rows.push(Row::at_most(case, junk(late), "", 0.0));
            if *every == MINUTE {
                curves.push(Curve::of(
                    if kind == "names" { "deploy, other names" } else { "deploy, fingerprints" },
                    &outcomes,
                ));
            }
        }
    }
    rows
}

/// One stylesheet more on an established page.
pub(crate) fn new_stylesheet(histories: &mut Histories, paces: &[(u64, &str)], curves: &mut Vec<Curve>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut needs = Histories::needs();
    needs.push("/assets/new.css".into());
    for (every, pace) in paces {
        let mut simulation = histories.after(*every, 12);
        let outcomes = simulation.visits(60, *every, |_, _| Visitor::new("/", &needs));
        let first = since(&outcomes, |outcome| outcome.hints("/assets/new.css"));
        let case = format!("one new stylesheet, 1 view per {pace}: hinted from view");
        rows.push(Row::at_most(case, first as f64, "", 10.0));
        if *every == MINUTE {
            curves.push(Curve::of("one new stylesheet", &outcomes));
        }
    }
    rows
}
