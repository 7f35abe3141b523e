//! Pages that need other files on a phone, by their query, by a cookie; and pages that need many.

use std::rc::Rc;

use headstart::learn::Verdict;

use super::browser::AUTHORITY;
use super::outcome::{Outcome, helped, recall, waste};
use super::random::Random;
use super::row::Row;
use super::simulation::{MINUTE, Simulation};
use super::visitor::{Visitor, files};

fn rows(name: &str, outcomes: &[Outcome], learning: usize) -> Vec<Row> {
    let late = outcomes.get(learning..).unwrap_or_default();
    vec![
        Row::at_least(format!("{name}: recall"), recall(late), "", 0.9),
        Row::at_most(format!("{name}: part of hints that is waste"), waste(late), "", 0.1),
    ]
}

fn run(seed: u64, views: u64, next: impl FnMut(&mut Random, u64) -> Visitor) -> Vec<Outcome> {
    Simulation::new(seed).visits(views, MINUTE, next)
}

/// Six files for all, and some for some.
fn with(common: &[Rc<str>], more: &[&str]) -> Vec<Rc<str>> {
    let more = more.iter().map(|path| Rc::from(*path));
    common.iter().cloned().chain(more).collect()
}

pub(crate) fn classes(views: u64) -> Vec<Row> {
    let common = files("a", 6, "min");
    let outcomes = run(51, views, |random, _| {
        let phone = random.chance(0.5);
        let own: &[&str] = if phone { &["/s.css", "/s.js", "/s.png"] } else { &["/l.css", "/l.js", "/l.png"] };
        Visitor { phone, ..Visitor::new("/", &with(&common, own)) }
    });
    rows("phones and desktops need other files", &outcomes, 40)
}

pub(crate) fn queries(views: u64) -> Vec<Row> {
    let common = files("a", 6, "min");
    let outcomes = run(52, views, |random, n| {
        let view = random.below(4);
        let own = [format!("/view{view}.css"), format!("/view{view}.js"), format!("/view{view}.png")];
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Visitor::new(&format!("/router?utm_source=letter{n}&view={view}"), &with(&common, &own))
    });
    rows("four values of ?view= need other files", &outcomes, 60)
}

pub(crate) fn experiment(views: u64) -> Vec<Row> {
    let common = files("a", 6, "min");
    let outcomes = run(53, views, |random, _| {
        let own = if random.chance(0.5) { ["/a.css", "/a.js"] } else { ["/b.css", "/b.js"] };
        Visitor::new("/", &with(&common, &own))
    });
    let late = outcomes.get(60..).unwrap_or_default();
    let either =
        late.iter().filter(|outcome| ["/a.css", "/a.js", "/b.css", "/b.js"].iter().any(|path| outcome.hints(path)));
    let whole = helped(late).filter(|outcome| common.iter().all(|path| outcome.hints(path)));
    let name = "two variants by a cookie";
    let views = helped(late).count().max(1) as f64;
    vec![
        Row::at_most(format!("{name}: views hinted either variant"), either.count() as f64 / views, "", 0.1),
        Row::at_least(format!("{name}: views hinted the common part whole"), whole.count() as f64 / views, "", 1.0),
    ]
}

/// A page of 105 files.
pub(crate) fn large_page(views: u64) -> Vec<Row> {
    let needs = files("a", 105, "min");
    let mut simulation = Simulation::new(54);
    simulation.visits(views, MINUTE, |_, _| Visitor::new("/", &needs));
    simulation.headstart.finish();
    let explanation = simulation.headstart.explain(AUTHORITY, "/").unwrap_or_default();
    let least = explanation.assets.iter().map(|asset| asset.probability).fold(1.0_f32, f32::min);
    let known = explanation.assets.iter().filter(|asset| asset.verdict != Verdict::FewNetworks).count();
    vec![
        Row::at_least("a page of 105 files: files known", known as f64, "", 105.0),
        Row::at_least("a page of 105 files: least probability", f64::from(least), "", 0.9),
    ]
}
