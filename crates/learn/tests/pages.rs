//! The pages that an operator is shown, and those that not even an operator is.

mod support;

use headstart_learn::*;
use support::*;

/// The paths of the pages that are shown, in order.
fn shown(world: &World, max: usize) -> Vec<String> {
    world.learner.pages(world.time(), max).shown.iter().map(|page| page.path.to_string()).collect()
}

#[test]
fn pages_come_by_weight_and_below_the_gate_as_a_number_only() {
    let mut world = World::new(eager(3));
    world.views(3, "/rare", &["/a.css"]);
    world.views(9, "/busy", &["/a.css", "/b.js"]);
    world.views(2, "/reset/3f9d-secret", &["/a.css"]);
    assert_eq!(shown(&world, 10), ["/busy", "/rare"]);
    assert_eq!(shown(&world, 1), ["/busy"]);
    let pages = world.learner.pages(world.time(), 1);
    assert_eq!((pages.passed, pages.hidden), (2, 1));
    let busy = pages.shown.first().expect("a page");
    assert_eq!((&*busy.authority, busy.visits, busy.assets), ("example.org", 9, 2));
    assert!(busy.weight > 8.9 && busy.weight <= 9.0, "{}", busy.weight);
    assert!(!format!("{pages:?}").contains("secret"));
}

#[test]
fn an_explanation_says_whether_the_page_may_be_named() {
    let mut world = World::new(eager(3));
    world.views(3, "/shown", &["/a.css"]);
    world.views(2, "/hidden", &["/a.css"]);
    assert!(world.explain("/shown").named);
    assert!(!world.explain("/hidden").named);
    assert!(!world.explain("/never").named);
}

#[test]
fn a_page_that_is_gone_is_not_shown() {
    let mut world = World::new(eager(1));
    world.views(3, "/old", &["/a.css"]);
    assert_eq!(shown(&world, 10), ["/old"]);
    world.gone("/old");
    assert_eq!(shown(&world, 10), Vec::<String>::new());
}

#[test]
fn a_higher_gate_hides_what_a_snapshot_names() {
    let mut world = World::new(eager(1));
    world.views(2, "/two", &["/a.css"]);
    world.views(4, "/four", &["/a.css"]);
    let bytes = world.learner.snapshot(world.time());
    let restored = World::with(Learner::restore(eager(3), &bytes).expect("a sound snapshot"));
    let pages = restored.learner.pages(world.time(), 10);
    assert_eq!(pages.shown.iter().map(|page| &*page.path).collect::<Vec<_>>(), ["/four"]);
    assert_eq!(pages.hidden, 1);
}
