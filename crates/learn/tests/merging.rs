//! Snapshots that are added up: of a fleet's servers, or of an old and a new machine.

mod support;

use headstart_learn::*;
use proptest::prelude::*;
use support::*;

fn snapshot(world: &World) -> Vec<u8> {
    world.learner.snapshot(world.time())
}

/// A learner with the key of `config` that knows what is in all of these, as of `now`.
fn joined(config: &Config, now: u64, snapshots: &[&[u8]]) -> World {
    let (first, others) = snapshots.split_first().expect("at least one");
    let mut world = World::with(Learner::restore(config.clone(), first).expect("unharmed"));
    world.now = now;
    for other in others {
        world.learner.merge_snapshot(world.time(), other).expect("unharmed");
    }
    world
}

fn other_key(config: &Config) -> Config {
    config.to_builder().key([9; 16]).build().expect("in range")
}

/// Two machines that have each seen two of the four networks.
fn two_halves(a: Config, b: Config) -> (World, World) {
    let (mut a, mut b) = (World::new(a), World::new(b));
    for (world, networks) in [(&mut a, 1..=2), (&mut b, 3..=4)] {
        for network in networks {
            world.view(&View { page: "/p/1", assets: &["/a.css", "/b.js"], network, delivered: &[] });
        }
    }
    (a, b)
}

#[test]
fn both_are_known_afterwards() {
    for key in [eager(3), other_key(&eager(3))] {
        let (mut a, mut b) = (World::new(eager(3)), World::new(key.clone()));
        a.views(5, "/", &["/style.css", "/app.js"]);
        for page in ["/shop/1", "/shop/3"] {
            b.views(5, page, &["/style.css", "/shop.css"]);
        }
        let world = joined(&eager(3), a.now.max(b.now), &[&snapshot(&a), &snapshot(&b)]);
        assert_eq!(world.planned("/"), a.planned("/"));
        assert_eq!(world.planned("/shop/1"), ["/style.css", "/shop.css"]);
        assert_eq!(world.planned("/shop/2"), ["/style.css", "/shop.css"], "templates too");
    }
}

#[test]
fn what_both_know_is_added_up() {
    for key in [eager(3), other_key(&eager(3))] {
        let (mut a, mut b) = (World::new(eager(3)), World::new(key));
        a.views(6, "/", &["/style.css"]);
        b.views(4, "/", &["/style.css", "/new.js"]);
        b.now = a.now;
        let world = joined(&eager(3), a.now, &[&snapshot(&a), &snapshot(&b)]);
        let weight = |world: &World| world.explain("/").levels.last().map_or(0.0, |level| level.weight);
        assert!((weight(&world) - weight(&a) - weight(&b)).abs() < 0.01);
        let hits = |world: &World, path: &str| {
            world.explain("/").assets.iter().find(|asset| &*asset.path == path).map_or(0.0, |asset| asset.hits)
        };
        for path in ["/style.css", "/new.js"] {
            assert!((hits(&world, path) - hits(&a, path) - hits(&b, path)).abs() < 0.01, "{path}");
        }
    }
}

#[test]
fn under_one_key_networks_add_up_and_one_network_is_one() {
    let (a, b) = two_halves(eager(3), eager(3));
    let mut world = joined(&eager(3), a.now, &[&snapshot(&a), &snapshot(&b)]);
    assert!(world.planned("/p/1").is_empty(), "the names are not known until they are next asked for");
    world.view(&View { page: "/p/1", assets: &["/a.css", "/b.js"], network: 1, delivered: &[] });
    assert_eq!(world.planned("/p/1"), ["/a.css", "/b.js"]);

    let twice = joined(&eager(3), a.now, &[&snapshot(&a), &snapshot(&a)]);
    let mut twice = twice;
    twice.view(&View { page: "/p/1", assets: &["/a.css", "/b.js"], network: 1, delivered: &[] });
    assert!(twice.planned("/p/1").is_empty(), "two networks are two, however often they are merged");
}

/// Two networks here and two there may be the same two.
#[test]
fn under_two_keys_the_gate_is_not_opened_by_a_merge() {
    let (a, b) = two_halves(eager(3), other_key(&eager(3)));
    let mut world = joined(&eager(3), a.now, &[&snapshot(&a), &snapshot(&b)]);
    let merged = world.learner.merge_snapshot(world.time(), &snapshot(&b)).unwrap();
    assert_eq!((merged.same_key, merged.taken, merged.hidden, merged.refused), (false, 0, 3, 0), "{merged:?}");
    world.view(&View { page: "/p/1", assets: &["/a.css", "/b.js"], network: 1, delivered: &[] });
    assert!(world.planned("/p/1").is_empty());

    // Five here and five there count as five, not ten.
    let (mut a, mut b) = (World::new(eager(3)), World::new(other_key(&eager(3))));
    a.views(5, "/", &["/a.css"]);
    b.views(6, "/", &["/a.css"]);
    let world = joined(&eager(3), a.now, &[&snapshot(&a), &snapshot(&b)]);
    let networks: Vec<u32> = world.explain("/").assets.iter().map(|asset| asset.networks).collect();
    assert!(networks.iter().all(|count| (5..=7).contains(count)), "{networks:?}");
}

#[test]
fn the_older_one_weighs_less() {
    let (mut a, mut b) = (World::new(eager(1)), World::new(eager(1)));
    a.views(8, "/", &["/a.css"]);
    b.views(8, "/", &["/a.css"]);
    let old = snapshot(&a);
    let weight = |world: &World| world.explain("/").levels.last().map_or(0.0, |level| level.weight);
    b.pass(2 * DAY);
    let (before, new) = (weight(&b), snapshot(&b));
    for order in [[&old[..], &new], [&new, &old]] {
        let world = joined(&eager(1), b.now, &order);
        assert!(
            (weight(&world) - 2.0 * before).abs() < 0.01 * before,
            "both had two days: {before} {}",
            weight(&world)
        );
    }
    // Visits of a clock that was ahead make nothing heavier.
    b.pass(900 * DAY);
    b.views(8, "/", &["/a.css"]);
    let ahead = snapshot(&b);
    let world = joined(&eager(1), a.now, &[&old, &ahead]);
    assert!(weight(&world) <= weight(&a) * 1.01);
}

#[test]
fn an_asset_that_was_renamed_meanwhile_is_one() {
    for order in [[0, 1], [1, 0]] {
        let (mut old, mut new) = (World::new(eager(2)), World::new(eager(2)));
        old.views(5, "/", &["/app.1a2b3c.js"]);
        new.now = old.now + HOUR;
        new.views(5, "/", &["/app.9f8e7d.js"]);
        let both = [snapshot(&old), snapshot(&new)];
        let world = joined(&eager(2), new.now, &[&both[order[0]], &both[order[1]]]);
        assert_eq!(world.planned("/"), ["/app.9f8e7d.js"], "{order:?}");
    }
}

#[test]
fn harm_is_an_error_and_takes_in_nothing() {
    let (mut a, mut b) = (World::new(eager(1)), World::new(eager(1)));
    a.views(3, "/", &["/a.css"]);
    b.views(3, "/other", &["/b.css"]);
    let bytes = snapshot(&b);
    let before = a.learner.stats();
    for at in 0..bytes.len() {
        let mut harmed = bytes.clone();
        harmed[at] ^= 1 << (at % 8);
        assert!(a.learner.merge_snapshot(a.time(), &harmed).is_err(), "bit flipped at {at}");
        assert!(a.learner.merge_snapshot(a.time(), &bytes[..at]).is_err(), "cut at {at}");
    }
    // The last record is malformed under a checksum that is right.
    let mut forged = bytes[..bytes.len() - 4].to_vec();
    forged.extend([1, 2, 0, 0, 0, 7, 7]);
    forged.extend(crc32fast::hash(&forged).to_le_bytes());
    assert!(a.learner.merge_snapshot(a.time(), &forged).is_err());
    assert_eq!(a.learner.stats(), before);
}

#[test]
fn memory_stays_bounded_and_the_heaviest_stay() {
    let small = eager(1).to_builder().memory_bytes(1 << 20).max_assets_per_page(64).build().expect("in range");
    let mut light = World::new(small.clone());
    for page in 0..1500 {
        light.views(1, &format!("/light/{page}/x"), &["/style.css", &format!("/img/{page}.png")]);
    }
    let mut heavy = World::new(small.clone());
    for page in 0..150 {
        heavy.views(5, &format!("/heavy/{page}/x"), &["/style.css", &format!("/img/heavy{page}.png")]);
    }
    heavy.now = light.now;
    for order in [[&snapshot(&light)[..], &snapshot(&heavy)], [&snapshot(&heavy), &snapshot(&light)]] {
        let world = joined(&small, light.now, &order);
        let stats = world.learner.stats();
        assert!(stats.bytes <= 1 << 20, "{stats:?}");
        let known = (0..150).filter(|page| world.planned(&format!("/heavy/{page}/x")).len() == 2).count();
        assert!(known >= 145, "{known} of the 150 pages that weigh most");
        assert!(stats.pages > 500, "and there is room for light ones: {stats:?}");
    }
}

/// A small history on one machine.
fn history() -> impl Strategy<Value = Vec<(u8, u8, u8, u8)>> {
    prop::collection::vec((0u8..3, 1u8..16, 0u8..6, 0u8..40), 0..10)
}

const ASSETS: [&str; 4] = ["/a.css", "/b.js", "/c.png", "/d.woff2"];

fn snapshot_of(history: &[(u8, u8, u8, u8)]) -> Vec<u8> {
    let mut world = World::new(eager(2));
    for (page, assets, network, hours) in history {
        let all = ASSETS.iter().enumerate();
        let assets: Vec<&str> = all.filter(|(bit, _)| assets >> bit & 1 == 1).map(|(_, path)| *path).collect();
        let page = format!("/blog/{page}");
        world.view(&View { page: &page, assets: &assets, network: u64::from(*network), delivered: &[] });
        world.pass(u64::from(*hours) * HOUR);
    }
    snapshot(&world)
}

/// Merges the snapshots of two into one.
fn merged(a: &[u8], b: &[u8], now: u64) -> Vec<u8> {
    snapshot(&joined(&eager(2), now, &[a, b]))
}

/// Whether two snapshots say the same, to the last bit.
#[track_caller]
fn assert_alike(a: &[u8], b: &[u8], now: u64) {
    let [a, b] = [a, b].map(|bytes| joined(&eager(2), now, &[bytes]));
    let (x, y) = (a.learner.stats(), b.learner.stats());
    assert_eq!((x.pages, x.assets, x.shown_assets, x.edges), (y.pages, y.assets, y.shown_assets, y.edges));
    for page in ["/blog/0", "/blog/1", "/blog/2", "/blog/7"] {
        assert_eq!(a.explain(page), b.explain(page));
        assert_eq!(a.planned(page), b.planned(page));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_laws_of_merging(a in history(), b in history(), c in history()) {
        // Later than any of the histories.
        let now = 1_700_000_000_000 + 30 * DAY;
        let (a, b, c) = (snapshot_of(&a), snapshot_of(&b), snapshot_of(&c));
        assert_alike(&merged(&a, &b, now), &merged(&b, &a, now), now);
        assert_alike(&merged(&merged(&a, &b, now), &c, now), &merged(&a, &merged(&b, &c, now), now), now);
        assert_alike(&merged(&a, &snapshot_of(&[]), now), &a, now);
    }

    /// With a frame that fits, so that the records are reached.
    #[test]
    fn any_bytes_are_read_without_a_panic(same_key: bool, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let world = World::new(eager(1));
        let mut bytes = b"HSLEARN\x02".to_vec();
        if same_key {
            bytes.extend(&snapshot(&world)[8..16]);
        }
        bytes.extend(body);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let _ = world.learner.merge_snapshot(world.time(), &bytes);
        prop_assert!(world.learner.stats().bytes <= 64 << 20);
    }
}
