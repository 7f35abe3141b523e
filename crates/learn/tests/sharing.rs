//! Deltas: what one machine learned, added to what another knows.

mod support;

use headstart_learn::*;
use proptest::prelude::*;
use support::*;

fn collecting(min_networks: u32) -> Config {
    let mut config = eager(min_networks);
    config.collect_deltas = true;
    config
}

#[test]
fn two_machines_know_together_what_neither_knows_alone() {
    let (mut a, mut b) = (World::new(collecting(3)), World::new(collecting(3)));
    for (world, networks) in [(&mut a, 1..=2), (&mut b, 3..=4)] {
        for network in networks {
            let assets = ["/a.css", "/b.js"];
            world.view(&View { page: "/p/1", assets: &assets, network, delivered: &[] });
        }
    }
    assert!(a.plan("/p/1").is_empty() && b.plan("/p/1").is_empty());
    let delta = b.learner.take_delta();
    assert!(!delta.is_empty() && b.learner.take_delta().is_empty());
    a.learner.merge(a.time(), &delta);
    assert!(a.plan("/p/1").is_empty(), "the names are not known until they are next asked for");
    a.view(&View { page: "/p/1", assets: &["/a.css", "/b.js"], network: 1, delivered: &[] });
    assert_eq!(a.planned("/p/1"), ["/a.css", "/b.js"]);
}

#[test]
fn merging_is_as_learning_it_oneself() {
    let mut both = World::new(collecting(1));
    let mut parts = [World::new(collecting(1)), World::new(collecting(1))];
    let mut sum = World::new(collecting(1));
    for round in 0..40u64 {
        let page = ["/", "/blog/1", "/blog/2"][round as usize % 3];
        let assets: &[&str] = if round % 5 == 0 { &["/a.css"] } else { &["/a.css", "/b.js", "/c.png"] };
        let part = &mut parts[round as usize % 2];
        part.now = both.now;
        for world in [&mut both, part] {
            world.view(&View { page, assets, network: round, delivered: &[] });
            world.pass(HOUR);
        }
    }
    sum.now = both.now;
    for part in &parts {
        sum.learner.merge(sum.time(), &part.learner.take_delta());
    }
    for page in ["/", "/blog/1", "/blog/2", "/blog/3"] {
        assert_eq!(sum.planned(page), both.planned(page));
        let (x, y) = (sum.explain(page), both.explain(page));
        for (a, b) in x.assets.iter().zip(&y.assets) {
            assert_eq!(a.path, b.path);
            assert!((a.probability - b.probability).abs() < 1e-3, "{a:?} {b:?}");
            assert!((a.hits - b.hits).abs() < 1e-2 * (1.0 + b.hits), "{a:?} {b:?}");
        }
    }
}

#[test]
fn under_another_key_nothing_is_taken_in() {
    let mut a = World::new(collecting(1));
    a.views(3, "/", &["/a.css"]);
    let mut other = collecting(1);
    other.key = [7; 16];
    let b = World::new(other);
    b.learner.merge(b.time(), &a.learner.take_delta());
    assert_eq!(b.learner.stats().pages, 0);
}

#[test]
fn hidden_names_are_not_in_a_delta() {
    let mut a = World::new(collecting(3));
    a.views(2, "/account/secret-page", &["/private/4711.png"]);
    let said = format!("{:?}", a.learner.take_delta());
    assert!(!said.contains("4711") && !said.contains("secret-page"));
}

#[test]
fn what_is_collected_is_bounded() {
    let mut config = collecting(1);
    config.memory_bytes = 1 << 20;
    let mut a = World::new(config);
    for page in 0..2000 {
        a.views(1, &format!("/page/{page}"), &["/a.css", "/b.js"]);
    }
    assert!(a.learner.take_delta().len() <= (1 << 20) / 16 / 96);
    assert!(a.learner.stats().bytes <= 1 << 20);
}

/// A small history on one machine.
fn history() -> impl Strategy<Value = Vec<(u8, u8, u8, u8)>> {
    prop::collection::vec((0u8..3, 0u8..16, 0u8..6, 0u8..40), 0..12)
}

fn delta_of(history: &[(u8, u8, u8, u8)]) -> Delta {
    let mut world = World::new(collecting(2));
    for (page, assets, network, hours) in history {
        let all = ["/a.css", "/b.js", "/c.1234ab.png", "/d.woff2"];
        let assets: Vec<&str> =
            all.iter().enumerate().filter(|(bit, _)| assets >> bit & 1 == 1).map(|(_, path)| *path).collect();
        let page = format!("/blog/{page}");
        world.view(&View { page: &page, assets: &assets, network: u64::from(*network), delivered: &[] });
        world.pass(u64::from(*hours) * HOUR);
    }
    world.learner.take_delta()
}

fn merged(a: &Delta, b: &Delta) -> Delta {
    let mut sum = a.clone();
    sum.merge(b);
    sum
}

#[test]
fn harmed_bytes_are_an_error() {
    let mut a = World::new(collecting(1));
    a.views(2, "/blog/1", &["/a.css", "/b.1a2b3c.js"]);
    let bytes = a.learner.take_delta().to_bytes();
    assert!(Delta::from_bytes(&bytes).is_ok());
    for end in 0..bytes.len() {
        assert!(Delta::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        let mut harmed = bytes.clone();
        harmed[end] ^= 1 << (end % 8);
        assert!(Delta::from_bytes(&harmed).is_err(), "bit flipped at {end}");
    }
}

proptest! {
    #[test]
    fn bytes_read_back(a in history()) {
        let delta = delta_of(&a);
        prop_assert_eq!(Delta::from_bytes(&delta.to_bytes()), Ok(delta));
    }

    /// With a frame that fits, so that the records are reached.
    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = b"HSDELTA\x01".to_vec();
        bytes.extend(body);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        if let Ok(delta) = Delta::from_bytes(&bytes) {
            let world = World::new(collecting(1));
            world.learner.merge(world.time(), &delta);
        }
    }

    #[test]
    fn the_laws_of_merging(a in history(), b in history(), c in history()) {
        let (a, b, c) = (delta_of(&a), delta_of(&b), delta_of(&c));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &Delta::default()), a.clone());
        prop_assert_eq!(merged(&Delta::default(), &a), a);
    }
}
