//! Files that are asked for late: after a click, or by a script that takes its time.

use super::histories::Histories;
use super::outcome::{helped, recall};
use super::row::Row;
use super::simulation::{SECOND, Simulation};
use super::visitor::Visitor;

/// Three visitors in ten click; beside that page one whose script runs for two seconds, on slow phones.
pub(crate) fn clicks(views: u64) -> Vec<Row> {
    let needs = Histories::needs();
    let mut simulation = Simulation::new(41);
    let outcomes = simulation.visits(2 * views, 20 * SECOND, |random, n| {
        if n % 2 == 0 {
            let mut visitor = Visitor::new("/", &needs);
            if random.chance(0.3) {
                visitor.needs.push(("/assets/menu.js".into(), 2 * SECOND + random.below(12 * SECOND)));
            }
            return visitor;
        }
        let mut visitor = Visitor { phone: true, transfer: 900, label: 1, ..Visitor::new("/app", &needs) };
        visitor.needs.push(("/assets/data.js".into(), 2_900));
        visitor
    });
    let (pages, apps): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|outcome| outcome.label == 0);
    let hinted = pages.iter().filter(|outcome| outcome.hints("/assets/menu.js")).count();
    let late = apps.get(10..).unwrap_or_default();
    let with_data = helped(late).filter(|outcome| outcome.hints("/assets/data.js")).count();
    vec![
        Row::at_most("30 % click: views hinted what a click asks for", hinted as f64 / views as f64, "", 0.01),
        Row::at_least("a script runs for 2 s, slow phones: recall of the page", recall(late), "", 0.9),
        Row::at_least(
            "a script runs for 2 s, slow phones: views hinted what it asks for",
            with_data as f64 / helped(late).count().max(1) as f64,
            "",
            0.9,
        ),
    ]
}
