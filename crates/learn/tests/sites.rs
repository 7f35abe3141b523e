//! Places for sites, and who has one.

mod support;

use headstart_learn::*;
use support::*;

const PLACES: usize = 16;

fn settings() -> Config {
    eager_builder(3).max_sites(PLACES).build().expect("in range")
}

/// A page of a site is shown to a network, and loads a style.
fn view(world: &mut World, authority: &str, network: u64) -> Shown {
    let shown = world.learner.shown(world.time(), authority, NetworkId::new(network));
    if let Some(site) = shown.site {
        let before = std::mem::replace(&mut world.site, site);
        world.view(&View { page: "/", assets: &["/a.css"], network, delivered: &[] });
        world.site = before;
    }
    world.pass(SECOND);
    shown
}

/// A learner whose table one network has filled with names that it made up.
fn flooded() -> World {
    let mut world = World::with(Learner::new(settings()));
    for number in 0..10 * PLACES {
        view(&mut world, &format!("made-up-{number}.example"), 666);
    }
    assert_eq!(world.learner.stats().sites, PLACES);
    world
}

fn is_planned(world: &World, authority: &str) -> bool {
    world
        .learner
        .known_site(authority)
        .is_some_and(|site| !world.learner.plan(world.time(), site, page("/"), ClientClass::Other).is_empty())
}

#[test]
fn names_that_one_network_makes_up_take_no_place_from_a_name_that_three_ask_for() {
    let mut world = flooded();
    let mut displaced = None;
    for network in 0..6 {
        // The attack goes on.
        (0..300).for_each(|number| {
            assert_eq!(view(&mut world, &format!("more-{network}-{number}.example"), 666).displaced, None);
        });
        displaced = displaced.or(view(&mut world, "honest.example", network).displaced);
    }
    assert!(displaced.is_some_and(|name| name.starts_with("made-up") || &*name == "example.org"));
    assert!(is_planned(&world, "honest.example"));
}

#[test]
fn two_networks_displace_nothing() {
    let mut world = flooded();
    for round in 0..200 {
        for network in [666, 667] {
            assert_eq!(view(&mut world, &format!("pair-{round}.example"), network), Shown::default());
        }
    }
}

#[test]
fn many_newcomers_find_places_and_those_that_more_networks_know_keep_theirs() {
    let mut world = flooded();
    let names: Vec<String> = (0..PLACES).map(|number| format!("honest-{number}.example")).collect();
    for network in 0..12 {
        for name in &names {
            view(&mut world, name, 1000 + network);
            view(&mut world, &format!("made-up-too-{network}.example"), 666);
        }
    }
    assert!(names.iter().all(|name| is_planned(&world, name)), "all of them have a place");
    // Three networks, or eight, that agree on names of their own.
    for round in 0..100 {
        for network in 0..8 {
            assert_eq!(view(&mut world, &format!("bought-{round}.example"), 2000 + network).displaced, None);
        }
    }
}

#[test]
fn a_site_that_nobody_visits_for_a_week_gives_way() {
    let mut world = World::with(Learner::new(settings()));
    for number in 0..PLACES {
        (0..8).for_each(|network| {
            view(&mut world, &format!("old-{number}.example"), network);
        });
    }
    (0..5).for_each(|network| {
        view(&mut world, "new.example", 100 + network);
    });
    assert!(!is_planned(&world, "new.example"), "the others are as well known");
    world.pass(8 * DAY);
    (0..5).for_each(|network| {
        view(&mut world, "new.example", 100 + network);
    });
    assert!(is_planned(&world, "new.example"));
}

#[test]
fn what_was_known_of_a_site_goes_with_its_place() {
    let mut world = flooded();
    let names: Vec<String> = (0..PLACES).map(|number| format!("honest-{number}.example")).collect();
    for network in 0..4 {
        for name in &names {
            view(&mut world, name, network);
        }
    }
    // What is below the gate are the pages of those that have the places now.
    let stats = world.learner.stats();
    let pages = world.learner.pages(world.time(), 100);
    assert!(pages.shown.iter().all(|page| page.authority.starts_with("honest")), "{pages:?}");
    assert_eq!(pages.hidden, PLACES, "nothing is left of the others: {stats:?}");
    assert_eq!(stats.assets, PLACES);
}

#[test]
fn a_snapshot_does_not_keep_names_that_were_made_up() {
    let mut world = flooded();
    for _ in 0..3 {
        let bytes = world.learner.snapshot(world.time());
        world.learner = Learner::restore(settings(), &bytes).expect("unharmed");
        (0..2 * PLACES as u64).for_each(|number| {
            view(&mut world, &format!("again-{number}.example"), 666);
        });
    }
    (0..6).for_each(|network| {
        view(&mut world, "honest.example", network);
    });
    assert!(is_planned(&world, "honest.example"));
    let bytes = world.learner.snapshot(world.time());
    let smaller = eager_builder(3).max_sites(2).build().expect("in range");
    world.learner = Learner::restore(smaller, &bytes).expect("unharmed");
    assert!(is_planned(&world, "honest.example"), "the best known come first");
}

#[test]
fn a_merge_takes_places_from_names_that_were_made_up() {
    let mut elsewhere = World::with(Learner::new(settings()));
    (0..6).for_each(|network| {
        view(&mut elsewhere, "honest.example", network);
    });
    let bytes = elsewhere.learner.snapshot(elsewhere.time());
    let world = flooded();
    world.learner.merge_snapshot(world.time(), &bytes).expect("unharmed");
    assert!(is_planned(&world, "honest.example"));
}

#[test]
fn pinned_sites_have_a_place_at_once_and_keep_it() {
    let mut world = flooded();
    world.learner.pin_sites(["own.example"]);
    assert!(view(&mut world, "own.example", 1).displaced.is_some(), "one view is enough");
    for network in 0..8 {
        for number in 0..2 * PLACES {
            view(&mut world, &format!("wanted-{number}.example"), network);
        }
    }
    world.pass(30 * DAY);
    for network in 0..8 {
        view(&mut world, "wanted-too.example", network);
    }
    assert!(world.learner.known_site("own.example").is_some());
    world.learner.pin_sites([]);
    for number in 0..PLACES {
        (0..8).for_each(|network| {
            view(&mut world, &format!("later-{number}.example"), network);
        });
    }
    assert!(world.learner.known_site("own.example").is_none(), "it is like any other");
}
