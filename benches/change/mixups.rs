//! Requests that look as if they were another page's.

use std::rc::Rc;

use super::outcome::{Outcome, helped};
use super::row::Row;
use super::simulation::{MINUTE, SECOND, Simulation};
use super::visitor::{Referers, Visitor, Who, files};

/// Files of the one page, and of the other.
const FIRST: [&str; 2] = ["/assets/a0.min.css", "/assets/a4.min.png"];
const OTHER: [&str; 2] = ["/assets/other0.min.css", "/assets/other4.min.png"];

/// The part of views that are hinted a file of the other page.
fn row(name: &str, outcomes: &[Outcome], of_page: impl Fn(&Outcome) -> &'static [&'static str]) -> Row {
    let wrong = |outcome: &&Outcome| of_page(outcome).iter().any(|path| outcome.hints(path));
    let share = helped(outcomes).filter(wrong).count() as f64 / helped(outcomes).count().max(1) as f64;
    Row::at_most(format!("{name}: views hinted files of the other page"), share, "", 0.0)
}

/// All mix-ups, so many views each.
pub(crate) fn mixups(views: u64) -> Vec<Row> {
    let needs = files("a", 6, "min");
    let late: Rc<str> = "/other.png".into();
    // Back by the cache of pages, for which nobody is asked, then on by scrolling.
    let mut simulation = Simulation::new(61);
    for n in 0..views {
        let who = Who::Client(n);
        simulation.visit(Visitor { who, bot: true, ..Visitor::new("/first", &needs) });
        let elsewhere = vec![(Rc::clone(&late), 3 * SECOND)];
        let elsewhere_referer = Some("/first".into());
        simulation
            .visit_in(5 * SECOND, Visitor { who, elsewhere, elsewhere_referer, ..Visitor::new("/second", &needs) });
        simulation.pass(MINUTE);
    }
    let back = simulation.visits(40, MINUTE, |_, _| Visitor::new("/second", &needs));
    // `/` is prefetched, or shown before it is asked for: its files name `/`.
    let prefetched = Simulation::new(62).visits(views, MINUTE, |_, _| Visitor {
        elsewhere: vec![(Rc::clone(&late), SECOND)],
        elsewhere_referer: Some("/".into()),
        ..Visitor::new("/second", &needs)
    });
    // A form that is sent to its own path: the answer's files name that path.
    let mut simulation = Simulation::new(63);
    for n in 0..views {
        let who = Who::Client(n);
        let answer = [Rc::from("/other.png"), Rc::from("/thanks.css")];
        simulation.visit(Visitor { who, ..Visitor::new("/form", &needs) });
        simulation.visit_in(3 * SECOND, Visitor { who, posts: true, ..Visitor::new("/form", &answer) });
        simulation.pass(MINUTE);
    }
    let form = simulation.visits(40, MINUTE, |_, _| Visitor::new("/form", &needs));
    // A page whose requests name its origin alone, beside `/` in another tab.
    let mut simulation = Simulation::new(65);
    for n in 0..views {
        let who = Who::Client(n);
        let other = files("other", 6, "min");
        simulation.visit(Visitor { who, ..Visitor::new("/", &other) });
        simulation.visit_in(30, Visitor { who, referers: Referers::Origin, ..Visitor::new("/second", &needs) });
        simulation.pass(MINUTE);
    }
    let origin = simulation.visits(40, MINUTE, |_, n| {
        let page = if n % 2 == 0 { "/" } else { "/second" };
        Visitor { label: (n % 2) as u8, ..Visitor::new(page, &[]) }
    });
    // Two tabs of one client, whose pages let their requests name no page.
    let mut simulation = Simulation::new(64);
    for n in 0..views {
        let who = Who::Client(n);
        let other = files("other", 6, "min");
        simulation.visit(Visitor { who, referers: Referers::None, ..Visitor::new("/first", &needs) });
        simulation.visit_in(30, Visitor { who, referers: Referers::None, ..Visitor::new("/second", &other) });
        simulation.pass(MINUTE);
    }
    let tabs = simulation.visits(40, MINUTE, |_, n| {
        let page = if n % 2 == 0 { "/first" } else { "/second" };
        Visitor { referers: Referers::None, label: (n % 2) as u8, ..Visitor::new(page, &[]) }
    });
    vec![
        row("back and scroll", &back, |_| &["/other.png"]),
        row("prefetch of /", &prefetched, |_| &["/other.png"]),
        row("POST on the form's path", &form, |_| &["/other.png", "/thanks.css"]),
        row("an origin for a Referer, beside /", &origin, |outcome| if outcome.label == 0 { &FIRST } else { &OTHER }),
        row("two tabs without Referer", &tabs, |outcome| if outcome.label == 0 { &OTHER } else { &FIRST }),
    ]
}
