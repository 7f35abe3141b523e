//! Visitors who are none, and pages without number.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::histories::Histories;
use super::outcome::{Outcome, junk, recall};
use super::row::Row;
use super::simulation::{MINUTE, SECOND, Simulation};
use super::visitor::{Visitor, files};

/// Three views in a hundred are of programs that load one file.
pub(crate) fn bots(views: u64) -> Vec<Row> {
    let needs = Histories::needs();
    let mut simulation = Simulation::new(71);
    let outcomes = simulation.visits(views, MINUTE, |random, _| {
        if random.chance(0.03) { Visitor::bot("/", &needs) } else { Visitor::new("/", &needs) }
    });
    let late = outcomes.get(10..).unwrap_or_default();
    vec![
        Row::at_least("3 % bots: recall", recall(late), "", 0.95),
        Row::at_most("3 % bots: junk a view", junk(late), "", 0.0),
    ]
}

/// One or two /24s make half of all views, with files that only they ask for.
pub(crate) fn forgers(views: u64) -> Vec<Row> {
    let needs = Histories::needs();
    let mut rows = Vec::new();
    for networks in [1_u64, 2] {
        let mut simulation = Simulation::new(72);
        let outcomes = simulation.visits(views, 10 * SECOND, |random, n| {
            if n % 2 == 0 {
                return Visitor::new("/", &needs);
            }
            let address = Ipv4Addr::new(192, 0, 2 + (random.below(networks) as u8) * 7, random.below(250) as u8);
            let forged = files("forged", 12, "x");
            Visitor { bot: true, keeps_cookies: false, address: Some(address), ..Visitor::new("/", &forged) }
        });
        let late = outcomes.get(10..).unwrap_or_default();
        rows.push(Row::at_most(format!("{networks} /24 forge half of all views: junk a view"), junk(late), "", 0.0));
        rows.push(Row::at_least(format!("{networks} /24 forge half of all views: recall"), recall(late), "", 0.95));
    }
    rows
}

/// Pages of one template, visited as often as their number says (Zipf), each with a picture of its own; and bots.
pub(crate) fn many_pages(pages: u64, views: u64) -> Vec<Row> {
    let common = files("a", 6, "min");
    let mut simulation = Simulation::new(73);
    let outcomes = simulation.visits(views, 200, |random, _| {
        // Zipf's law by inversion: the chance of number n falls as 1/n.
        let n = (pages as f64).powf(random.share()) as u64;
        let mut needs = common.clone();
        needs.push(Rc::from(format!("/pictures/{n}.png")));
        let page = format!("/item/{n}");
        if random.chance(0.03) { Visitor::bot(&page, &needs) } else { Visitor::new(&page, &needs) }
    });
    let late: Vec<Outcome> = outcomes.into_iter().skip(views as usize / 2).collect();
    let bytes = simulation.headstart.learner().stats().bytes;
    let name = format!("{pages} pages of one template, {views} views, 3 % bots");
    vec![
        Row::at_least(format!("{name}: recall"), recall(&late), "", 0.9),
        Row::at_most(format!("{name}: junk a view"), junk(&late), "", 0.01),
        Row::at_most(format!("{name}: memory of what is learned"), bytes as f64 / f64::from(1 << 20), "MiB", 64.0),
    ]
}
