//! Learners that tell each other what they see.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use headstart_learn::*;
use proptest::prelude::*;
use support::*;

const BUDGET: usize = 1 << 20;

struct Fleet {
    nodes: Vec<World>,
    /// One that sees all visits.
    all: World,
}

impl Fleet {
    fn new(nodes: usize, config: &Config) -> Self {
        let node = || {
            let world = World::new(config.clone());
            world.learner.accumulate(1 << 20);
            world
        };
        Fleet { nodes: (0..nodes).map(|_| node()).collect(), all: World::new(config.clone()) }
    }

    /// A visit at one node, at the same time for all.
    fn view(&mut self, node: usize, view: &View<'_>) {
        // The numbers of clients go on everywhere, as they would with addresses.
        for (at, world) in self.nodes.iter_mut().enumerate() {
            if at == node {
                world.view(view);
            } else {
                world.stranger();
                world.pass(16 * SECOND);
                world.learner.advance(world.time());
            }
        }
        self.all.view(view);
    }

    fn pass(&mut self, millis: u64) {
        self.nodes.iter_mut().chain([&mut self.all]).for_each(|world| world.pass(millis));
    }

    fn delta(&self, node: usize) -> Option<Vec<u8>> {
        let world = &self.nodes[node];
        world.learner.take_delta(world.time(), BUDGET, 1 << 12).map(|delta| delta.bytes)
    }

    fn learn(&self, node: usize, delta: &[u8]) -> Learned {
        let world = &self.nodes[node];
        world.learner.learn_delta(world.time(), delta, 1 << 12).expect("a sound delta")
    }

    /// Everybody tells everybody what is new.
    fn exchange(&self) {
        let deltas: Vec<_> = (0..self.nodes.len()).map(|node| self.delta(node)).collect();
        for (from, delta) in deltas.iter().enumerate() {
            for to in (0..self.nodes.len()).filter(|to| *to != from) {
                if let Some(delta) = delta {
                    self.learn(to, delta);
                }
            }
        }
    }
}

const ASSETS: [&str; 5] = ["/a.css", "/b.js", "/c.png", "/d.woff2", "/e.js"];

fn all_names() -> Vec<String> {
    let pages = (0..3).map(|page| format!("/blog/{page}"));
    pages.chain(["/blog/*".to_owned(), "/blog 2".to_owned()]).collect()
}

/// All sums that are stored, as bytes by key: those of nodes without their names, and of assets what is seen of them.
fn sums(world: &World) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let bytes = world.learner.snapshot(world.time());
    let mut rest = &bytes[40..bytes.len() - 4];
    let number = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]) as usize;
    let sites = number(rest);
    rest = &rest[2..];
    for _ in 0..sites {
        rest = &rest[2 + number(rest)..];
    }
    let mut sums = BTreeMap::new();
    while !rest.is_empty() {
        let (tag, length) = (rest[0], u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize);
        let mut record = rest[5..5 + length].to_vec();
        rest = &rest[5 + length..];
        if tag == 1 {
            record.truncate(22);
        } else if tag == 2 && record[11] & 2 != 0 {
            record[11] &= !2;
            let name = all_names().into_iter().find(|name| {
                let length = (name.len() as u16).to_le_bytes();
                record.ends_with(&[&length[..], name.as_bytes()].concat())
            });
            record.truncate(record.len() - 2 - name.expect("one of the names of the test").len());
        }
        (tag < 3).then(|| sums.insert([&[tag], &record[..8]].concat(), record));
    }
    sums
}

/// One step of a history: where, which page, which assets, from where, how long after the one before.
#[derive(Clone, Debug)]
struct Step {
    node: usize,
    page: u8,
    assets: u8,
    held: u8,
    network: u64,
    minutes: u64,
    exchange: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0usize..4, 0u8..3, 1u8..32, 0u8..32, 0u64..6, 0u64..2000, prop::bool::weighted(0.3)).prop_map(
        |(node, page, assets, held, network, minutes, exchange)| Step {
            node,
            page,
            assets,
            held,
            network,
            minutes,
            exchange,
        },
    );
    prop::collection::vec(step, 1..25)
}

/// Plays a history; `exchange` is called where the history says so.
fn play(fleet: &mut Fleet, steps: &[Step], mut exchange: impl FnMut(&mut Fleet)) {
    let mut seen = BTreeSet::new();
    for step in steps {
        let node = step.node % fleet.nodes.len();
        let chosen = |mask: u8| (0..ASSETS.len()).filter(move |bit| mask >> bit & 1 == 1);
        // A server takes for held what it has seen on the page.
        let held = chosen(step.held & !step.assets).filter(|asset| seen.contains(&(node, step.page, *asset)));
        let delivered: Vec<_> = held.map(|asset| (ASSETS[asset], Delivery::Held)).collect();
        let assets: Vec<_> = chosen(step.assets).map(|asset| ASSETS[asset]).collect();
        seen.extend(chosen(step.assets).map(|asset| (node, step.page, asset)));
        let page = format!("/blog/{}", step.page);
        fleet.view(node, &View { page: &page, assets: &assets, network: step.network, delivered: &delivered });
        fleet.pass(step.minutes * 60 * SECOND);
        if step.exchange {
            exchange(fleet);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn learners_that_exchange_everything_equal_one_that_saw_all(steps in steps(), nodes in 1usize..5) {
        let mut fleet = Fleet::new(nodes, &eager(2));
        play(&mut fleet, &steps, |fleet| fleet.exchange());
        fleet.exchange();
        let all = sums(&fleet.all);
        for world in &fleet.nodes {
            prop_assert_eq!(&sums(world), &all);
        }
    }

    #[test]
    fn what_is_lost_late_or_out_of_order_is_a_subset(mut steps in steps(), fates in prop::collection::vec(0u8..4, 100)) {
        // Within one landmark: at a later one the sums begin again, and who has not heard of that still has the old ones,
        // at the 256th of their weight.
        for step in &mut steps {
            step.minutes %= 200;
        }
        let mut fleet = Fleet::new(3, &eager(2));
        let (mut waiting, mut fates) = (Vec::new(), fates.into_iter().cycle());
        let mut exchange = |fleet: &mut Fleet| {
            for from in 0..3 {
                let delta = fleet.delta(from);
                waiting.extend((0..3).filter(|to| *to != from).filter_map(|to| Some((to, delta.clone()?))));
            }
            // The latest first; some are lost, and some come with the next exchange or never.
            let mut kept = Vec::new();
            for (to, delta) in waiting.drain(..).rev() {
                match fates.next() {
                    Some(0) => {}
                    Some(1) => kept.push((to, delta)),
                    _ => {
                        fleet.learn(to, &delta);
                    }
                }
            }
            waiting = kept;
        };
        play(&mut fleet, &steps, &mut exchange);
        exchange(&mut fleet);
        for world in &fleet.nodes {
            for page in 0..3 {
                let page = format!("/blog/{page}");
                let (some, all) = (world.explain(&page), fleet.all.explain(&page));
                for level in &some.levels {
                    let whole = all.levels.iter().find(|other| other.level == level.level).expect("a level of the whole");
                    prop_assert!(level.weight <= whole.weight, "{page}");
                }
                for asset in &some.assets {
                    let whole = all.assets.iter().find(|other| other.path == asset.path).expect("an asset of the whole");
                    prop_assert!(asset.hits <= whole.hits && asset.mute <= whole.mute, "{page} {}", asset.path);
                    prop_assert!(asset.networks <= whole.networks);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), tail in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut fleet = Fleet::new(2, &eager(1));
        for page in 0..3 {
            fleet.view(0, &View { page: &format!("/blog/{page}"), assets: &ASSETS, network: page, delivered: &[("/e.js", Delivery::Held)] });
        }
        let sound = fleet.delta(0).expect("three visits");
        let mut bytes = sound.clone();
        for (at, byte) in flips {
            let at = 20 + at.index(bytes.len() - 20);
            bytes[at] = byte;
        }
        bytes.extend(tail);
        let world = &fleet.nodes[1];
        let _ = world.learner.learn_delta(world.time(), &bytes, 16);
        for cut in 0..sound.len() {
            prop_assert!(world.learner.learn_delta(world.time(), &sound[..cut], 16).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn three_networks_at_three_servers_teach_a_fourth() {
    let mut fleet = Fleet::new(4, &config(3));
    for node in 0..3 {
        // All at once: nobody has heard of the others.
        for page in ["/blog/1", "/blog/3"] {
            fleet.view(node, &View { page, assets: &["/a.css"], network: node as u64, delivered: &[] });
        }
    }
    let deltas = [0, 1, 2].map(|node| fleet.delta(node).expect("a visit"));
    for text in deltas.iter().map(|delta| String::from_utf8_lossy(delta)) {
        assert!(!text.contains("a.css") && !text.contains("blog"), "no name below the gate leaves a server");
    }
    for (from, delta) in deltas.iter().enumerate() {
        for to in (0..4).filter(|to| *to != from) {
            fleet.learn(to, delta);
        }
    }
    assert_eq!(fleet.nodes[0].planned("/blog/1"), ["/a.css"], "one that has asked for it knows its name");
    assert!(fleet.nodes[3].planned("/blog/1").is_empty(), "the fourth does not, yet");
    assert!(fleet.nodes[0].learner.outbound().news);
    fleet.exchange();
    assert_eq!(["/blog/1", "/blog/2"].map(|page| fleet.nodes[3].planned(page)), [["/a.css"]; 2], "templates too");
    assert!(fleet.delta(3).is_none(), "what others have told is not told again");
}

#[test]
fn two_networks_at_ten_servers_are_two() {
    let mut fleet = Fleet::new(10, &config(3));
    for node in 0..10 {
        for network in 0..2 {
            fleet.view(node, &View { page: "/", assets: &["/planted.js"], network, delivered: &[] });
        }
        fleet.exchange();
    }
    for world in &fleet.nodes {
        assert!(world.planned("/").is_empty());
        assert!(world.explain("/").assets.is_empty(), "nothing has passed the gate");
    }
}

#[test]
fn a_network_has_one_vote_however_many_servers_it_asks() {
    for told_in_between in [true, false] {
        let mut fleet = Fleet::new(10, &config(1));
        for node in 0..10 {
            fleet.view(node, &View { page: "/", assets: &["/a.css"], network: 7, delivered: &[] });
            if told_in_between {
                fleet.exchange();
            }
        }
        fleet.exchange();
        let weight = |world: &World| world.explain("/").levels.last().map_or(0.0, |level| level.weight);
        assert!((weight(&fleet.all) - 1.0).abs() < 0.01);
        for world in &fleet.nodes {
            assert!((weight(world) - 1.0).abs() < 0.01, "{}", weight(world));
        }
        fleet.pass(HOUR);
        fleet.view(3, &View { page: "/", assets: &["/a.css"], network: 7, delivered: &[] });
        fleet.exchange();
        for world in &fleet.nodes {
            assert!((weight(world) - 2.0).abs() < 0.1, "later it votes again: {}", weight(world));
        }
    }
}

#[test]
fn what_is_gone_at_one_is_gone_for_all() {
    let mut fleet = Fleet::new(3, &eager(2));
    for network in 0..4 {
        fleet.view(0, &View { page: "/", assets: &["/a.css", "/b.js"], network, delivered: &[] });
        fleet.view(1, &View { page: "/other", assets: &["/a.css"], network, delivered: &[] });
    }
    fleet.exchange();
    assert_eq!(fleet.nodes[2].planned("/"), ["/a.css", "/b.js"]);
    fleet.pass(60 * SECOND);
    fleet.nodes[1].gone("/b.js");
    fleet.nodes[1].gone("/other");
    fleet.exchange();
    for world in &fleet.nodes {
        assert_eq!(world.planned("/"), ["/a.css"]);
        assert!(world.planned("/other").is_empty());
    }
    assert!(fleet.delta(2).is_none());
}

/// A delta of a learner of 12 hours, merged 20 days later into one of 24 hours, once weighed 113.8 in the place of 0.
#[test]
fn another_half_life_or_key_is_refused_and_an_old_delta_weighs_what_it_should() {
    let day = eager(1);
    let half = day.to_builder().half_life(std::time::Duration::from_secs(12 * 3600)).build().unwrap();
    let other_key = day.to_builder().key([9; 16]).build().unwrap();
    for (config, expected) in [(&half, DeltaError::OtherHalfLife), (&other_key, DeltaError::OtherKey)] {
        let mut fleet = Fleet::new(1, config);
        fleet.view(0, &View { page: "/", assets: &["/a.css"], network: 1, delivered: &[] });
        let delta = fleet.delta(0).unwrap();
        let world = World::new(day.clone());
        assert_eq!(world.learner.learn_delta(world.time(), &delta, 16), Err(expected));
        assert_eq!(world.learner.stats().pages, 0);
    }
    let mut fleet = Fleet::new(2, &day);
    for network in 0..100 {
        fleet.view(0, &View { page: "/", assets: &["/a.css"], network, delivered: &[] });
    }
    let delta = fleet.delta(0).unwrap();
    fleet.pass(20 * DAY);
    fleet.learn(1, &delta);
    let weight = |world: &World| world.explain("/").levels.last().map_or(0.0, |level| level.weight);
    assert!(weight(&fleet.nodes[1]) < 0.001, "{}", weight(&fleet.nodes[1]));
    assert_eq!(weight(&fleet.nodes[1]).to_bits(), weight(&fleet.all).to_bits());
}

#[test]
fn sampling_keeps_to_the_budget_and_is_unbiased() {
    let mut fleet = Fleet::new(2, &eager(1));
    for view in 0..2000 {
        let asset = format!("/own{}.png", view % 2);
        fleet.view(0, &View { page: "/", assets: &["/a.css", &asset], network: view, delivered: &[] });
        if view % 100 == 0 {
            let page = &*format!("/rare/{view}/");
            fleet.view(0, &View { page, assets: &["/a.css"], network: view, delivered: &[] });
        }
    }
    let delta = fleet.nodes[0].learner.take_delta(fleet.nodes[0].time(), 8 << 10, 1 << 12).unwrap();
    assert!(delta.heaviest > 2 && delta.visits > 50, "{} of {}", delta.heaviest, delta.visits);
    let delta = &*delta.bytes;
    assert!((2 << 10..12 << 10).contains(&delta.len()), "{} bytes", delta.len());
    assert_eq!(fleet.nodes[1].learner.learn_delta(fleet.nodes[1].time(), delta, 2), Err(DeltaError::TooHeavy));
    fleet.learn(1, delta);
    let (some, all) = (fleet.nodes[1].explain("/"), fleet.all.explain("/"));
    let ratio = some.levels.last().unwrap().weight / all.levels.last().unwrap().weight;
    assert!((0.6..1.5).contains(&ratio), "{ratio}");
    for asset in &all.assets {
        let hits = some.assets.iter().find(|other| other.path == asset.path).map_or(0.0, |asset| asset.hits);
        assert!((0.5..1.8).contains(&(hits / asset.hits)), "{} {hits} {}", asset.path, asset.hits);
    }
    let rare = (0..20).filter(|n| fleet.nodes[1].explain(&format!("/rare/{}/", n * 100)).levels.len() == 3).count();
    assert!(rare >= 15, "rare pages are told in full: {rare} of 20");
}

#[test]
fn a_full_table_thins_out_and_what_is_left_stands_for_all() {
    let mut fleet = Fleet::new(2, &eager(1));
    fleet.nodes[0] = World::new(eager(1));
    fleet.nodes[0].learner.accumulate(64 << 10);
    for view in 0..2000 {
        fleet.view(0, &View { page: "/", assets: &["/a.css", "/b.js"], network: view, delivered: &[] });
    }
    let outbound = fleet.nodes[0].learner.outbound();
    assert!(outbound.bytes <= 64 << 10 && outbound.dropped > 1000, "{outbound:?}");
    fleet.learn(1, &fleet.delta(0).unwrap());
    let weight = |world: &World| world.explain("/").levels.last().map_or(0.0, |level| level.weight);
    let ratio = weight(&fleet.nodes[1]) / weight(&fleet.all);
    assert!((0.6..1.5).contains(&ratio), "{ratio}");
}

#[test]
fn a_lone_learner_gathers_nothing() {
    let mut world = World::new(eager(1));
    world.views(3, "/", &["/a.css"]);
    assert_eq!(world.learner.outbound(), Outbound::default());
    assert!(world.learner.take_delta(world.time(), BUDGET, 16).is_none());
}
