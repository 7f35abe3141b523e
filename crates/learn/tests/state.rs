//! Saving and restoring.

mod support;

use headstart_learn::*;
use support::*;

fn busy_world() -> World {
    let mut world = World::new(eager(3));
    world.views(5, "/", &["/style.css", "/app.1a2b3c.js", "/logo.png"]);
    for page in ["/blog/1", "/blog/3"] {
        world.views(5, page, &["/style.css", "/blog.css"]);
    }
    world.views(2, "/account/secret-page", &["/style.css", "/private/4711.png"]);
    world.pass(HOUR);
    world
}

fn restored(world: &World, config: Config, bytes: &[u8]) -> World {
    let mut copy = World::with(Learner::restore(config, bytes).expect("an unharmed snapshot"));
    copy.now = world.now;
    copy
}

#[test]
fn what_was_learned_survives() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    let copy = restored(&world, eager(3), &bytes);
    for page in ["/", "/blog/1", "/blog/2"] {
        let (before, after) = (world.explain(page), copy.explain(page));
        assert_eq!(before.assets.len(), after.assets.len());
        for (a, b) in before.assets.iter().zip(&after.assets) {
            assert_eq!((&a.path, a.verdict, a.networks), (&b.path, b.verdict, b.networks));
            assert!((a.probability - b.probability).abs() < 1e-3);
        }
        assert_eq!(world.planned(page), copy.planned(page));
        assert!(!copy.planned(page).is_empty());
    }
    assert_eq!(world.learner.stats().edges, copy.learner.stats().edges);
    let counts = |stats: Stats| (stats.pages, stats.assets, stats.shown_assets);
    assert_eq!(counts(world.learner.stats()), counts(copy.learner.stats()));
}

#[test]
fn evidence_goes_on_fading_while_the_server_is_down() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    let mut copy = restored(&world, eager(3), &bytes);
    copy.pass(DAY);
    let weight = |explanation: Explanation| explanation.levels.last().map_or(0.0, |level| level.weight);
    let (before, after) = (weight(world.explain("/")), weight(copy.explain("/")));
    assert!((after / before - 0.5).abs() < 0.01, "{before} {after}");
}

#[test]
fn nothing_below_the_gate_is_shown_anywhere() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    let said = [
        String::from_utf8_lossy(&bytes).into_owned(),
        format!("{:?}", world.learner),
        format!("{:?}", world.explain("/account/secret-page")),
        format!("{:?}", world.plan("/account/secret-page")),
        format!("{:?}", world.learner.stats()),
    ];
    for text in &said {
        assert!(!text.contains("4711") && !text.contains("secret-page"), "{text}");
    }
    assert!(said[0].contains("/style.css"), "what has passed is there");
    assert_eq!(world.explain("/account/secret-page").hidden, 1);
}

#[test]
fn hidden_assets_go_on_being_counted_under_the_same_key() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    let mut copy = restored(&world, eager(3), &bytes);
    let assets = ["/style.css", "/private/4711.png"];
    copy.view(&View { page: "/account/secret-page", assets: &assets, network: 3, delivered: &[] });
    assert_eq!(copy.planned("/account/secret-page"), assets);
}

#[test]
fn another_key_keeps_what_has_passed_the_gate() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    let other = eager_builder(3).key([9; 16]).build().expect("in range");
    let mut copy = restored(&world, other, &bytes);
    assert_eq!(copy.planned("/"), world.planned("/"));
    assert_eq!(copy.learner.stats().assets, copy.learner.stats().shown_assets);
    let assets = ["/style.css", "/private/4711.png"];
    copy.view(&View { page: "/account/secret-page", assets: &assets, network: 3, delivered: &[] });
    assert!(!copy.planned("/account/secret-page").contains(&"/private/4711.png".to_owned()));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let world = busy_world();
    let bytes = world.learner.snapshot(world.time());
    for end in 0..bytes.len() {
        assert!(Learner::restore(eager(3), &bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut harmed = bytes.clone();
        harmed[at] ^= 1 << (at % 8);
        assert!(Learner::restore(eager(3), &harmed).is_err(), "bit flipped at {at}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let message = |bytes: &[u8]| Learner::restore(eager(3), bytes).map_err(|e| e.to_string()).err();
    assert_eq!(message(b""), Some("not a snapshot of a learner".into()));
    assert_eq!(
        message(b"HSLEARN\x07...."),
        Some("the snapshot has format version 7, this program reads version 2".into())
    );
    assert_eq!(
        message(b"HSLEARN\x01...."),
        Some("the snapshot has format version 1, this program reads version 2".into())
    );
    assert!(Learner::restore(eager(3), b"HSLEARN\x01....").is_err_and(|error| error.is_other_version()));
    let world = busy_world();
    let mut bytes = world.learner.snapshot(world.time());
    bytes.pop();
    assert!(message(&bytes).is_some_and(|text| text.contains("checksum")));
}

#[test]
fn a_smaller_learner_takes_over_the_heaviest() {
    let mut world = World::new(eager(1));
    for page in 0..50 {
        world.views(1, &format!("/rare{page}"), &["/style.css"]);
    }
    world.views(9, "/hot", &["/style.css", "/hot.css"]);
    let bytes = world.learner.snapshot(world.time());
    let small = eager(1).to_builder().max_pages(8).build().expect("in range");
    let copy = restored(&world, small, &bytes);
    assert!(copy.learner.stats().pages <= 8);
    assert_eq!(copy.planned("/hot"), ["/style.css", "/hot.css"]);
}
