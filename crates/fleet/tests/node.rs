//! Nodes without an exchange: what is told, heard, refused.

mod support;

use std::sync::Arc;
use std::time::Duration;

use headstart_fleet::{Heard, Keys, Node, Refusal};
use headstart_learn::Config;
use proptest::prelude::*;
use support::*;

fn nodes(count: u64) -> Vec<(Arc<Server>, Node<Server>)> {
    (0..count).map(|n| node(&format!("web-{n}"), 100 + n, eager(), &keys())).collect()
}

const PAGES: [&str; 3] = ["/blog/1", "/blog/2", "/about"];
const ASSETS: [&str; 3] = ["/a.css", "/b.css", "/c.css"];

/// The fate of an entry on a channel.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lost,
    Once,
    Twice,
    Late,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Lost), Just(Fate::Once), Just(Fate::Twice), Just(Fate::Late)]
}

fn visits() -> impl Strategy<Value = Vec<(usize, usize, u8, u64)>> {
    prop::collection::vec((0usize..3, 0usize..3, 1u8..8, 0u64..9), 1..40)
}

/// Plays visits at three nodes, each followed by telling; entries reach the other two as `fates` say. Gives the servers,
/// and one that saw all.
fn play(
    visits: &[(usize, usize, u8, u64)],
    fates: &[Fate],
    clock: &TestClock,
) -> Result<(Vec<Arc<Server>>, Arc<Server>), TestCaseError> {
    let (all, mut nodes) = (Server::new(eager()), nodes(3));
    let mut late: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut fates = fates.iter().cycle();
    for (at, page, assets, network) in visits {
        let assets: Vec<&str> = (0..3).filter(|bit| assets >> bit & 1 == 1).map(|bit| ASSETS[bit]).collect();
        nodes[*at].0.visit(clock.now(), PAGES[*page], &assets, *network);
        all.visit(clock.now(), PAGES[*page], &assets, *network);
        clock.pass(Duration::from_secs(60));
        let entry = nodes[*at].1.tell(clock.now(), 1 << 20).expect("a visit");
        for to in (0..3).filter(|to| to != at) {
            let times = match fates.next().expect("a cycle") {
                Fate::Lost => 0,
                Fate::Once => 1,
                Fate::Twice => 2,
                Fate::Late => {
                    late.push((to, entry.clone()));
                    0
                }
            };
            for time in 0..times {
                let heard = nodes[to].1.hear(clock.now(), &entry);
                prop_assert_eq!(matches!(heard, Ok(Heard::New { .. })), time == 0, "{:?}", heard);
            }
        }
    }
    // The latest first.
    for (to, entry) in late.into_iter().rev() {
        nodes[to].1.hear(clock.now(), &entry).expect("late, and welcome");
    }
    Ok((nodes.into_iter().map(|(server, _)| server).collect(), all))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn loss_doubling_delay_and_disorder_leave_a_subset(visits in visits(), fates in prop::collection::vec(fate(), 1..50)) {
        let clock = TestClock::default();
        let (servers, all) = play(&visits, &fates, &clock)?;
        for server in &servers {
            for page in PAGES {
                let (some, whole) = (server.explain(clock.now(), page), all.explain(clock.now(), page));
                for level in &some.levels {
                    let other = whole.levels.iter().find(|other| other.level == level.level).expect("it was seen");
                    prop_assert!(level.weight <= other.weight);
                }
                for asset in &some.assets {
                    let other = whole.assets.iter().find(|other| other.path == asset.path).expect("it was seen");
                    prop_assert!(asset.hits <= other.hits && asset.networks <= other.networks);
                }
            }
        }
    }

    #[test]
    fn doubling_delay_and_disorder_without_loss_change_nothing(visits in visits(), fates in prop::collection::vec(fate(), 1..50)) {
        let fates: Vec<Fate> =
            fates.into_iter().map(|fate| if matches!(fate, Fate::Lost) { Fate::Twice } else { fate }).collect();
        let clock = TestClock::default();
        let (servers, all) = play(&visits, &fates, &clock)?;
        for server in &servers {
            for page in PAGES {
                prop_assert_eq!(server.explain(clock.now(), page), all.explain(clock.now(), page));
            }
        }
    }

    #[test]
    fn whatever_changes_an_entry_is_refused(flip: prop::sample::Index, bit in 0u8..8, cut: prop::sample::Index) {
        let clock = TestClock::default();
        let mut nodes = nodes(2);
        nodes[0].0.visit(clock.now(), "/", &["/a.css"], 1);
        let entry = nodes[0].1.tell(clock.now(), 1 << 20).expect("a visit");
        let mut harmed = entry.clone();
        harmed[flip.index(entry.len())] ^= 1 << bit;
        prop_assert!(nodes[1].1.hear(clock.now(), &harmed).is_err());
        prop_assert!(nodes[1].1.hear(clock.now(), &entry[..cut.index(entry.len())]).is_err());
        prop_assert_eq!(nodes[1].0.learner.stats().pages, 0);
        prop_assert!(nodes[1].1.take_base(clock.now(), &entry).is_err(), "evidence is no base");
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), framed: bool) {
        let mut node = nodes(1).remove(0).1;
        let bytes = if framed { [b"HSFLEET\x01", &bytes[..]].concat() } else { bytes };
        let now = TestClock::default().now();
        prop_assert!(node.hear(now, &bytes).is_err());
        prop_assert!(node.take_base(now, &bytes).is_err());
        let _ = node.resume(&bytes);
    }
}

#[test]
fn strangers_are_refused_with_a_reason() {
    let clock = TestClock::default();
    let (server, mut reader) = node("web-1", 1, eager(), &keys());
    let other_keys = Keys::random().unwrap();
    let half = eager().to_builder().half_life(Duration::from_secs(12 * 3600)).build().unwrap();
    let strange = config(&other_keys, 1).build().unwrap();
    let mut refusal = |config: Config, keys: &Keys, ahead: u64, change: fn(&mut Vec<u8>)| {
        let (stranger, mut node) = node("web-9", 9, config, keys);
        let then = headstart_learn::Time::from_millis(clock.now().as_millis() + ahead);
        for network in 0..100 {
            stranger.visit(then, "/", &["/a.css"], network);
        }
        let mut entry = node.tell(then, 1 << 20).unwrap();
        change(&mut entry);
        reader.hear(clock.now(), &entry).expect_err("it is refused")
    };
    let name = |name: &str| Some(Box::from(name));
    assert_eq!(refusal(half, &keys(), 0, |_| ()), (name("web-9"), Refusal::OtherHalfLife));
    assert_eq!(refusal(strange, &other_keys, 0, |_| ()), (name("web-9"), Refusal::OtherKey));
    assert_eq!(refusal(eager(), &keys(), 3 * 3_600_000, |_| ()), (name("web-9"), Refusal::Ahead));
    assert_eq!(refusal(eager(), &keys(), 0, |entry| entry[7] = 2), (None, Refusal::OtherFormat(2)));
    assert_eq!(refusal(eager(), &keys(), 0, |entry| entry.truncate(5)), (None, Refusal::Garbage));
    // Somebody who knows the fingerprint, but not the key.
    assert_eq!(refusal(eager(), &keys(), 0, |entry| *entry.last_mut().unwrap() ^= 1), (name("web-9"), Refusal::Forged));
    assert_eq!(server.weight(clock.now(), "/").to_bits(), 0.0f32.to_bits(), "none of them weighs anything");
}

#[test]
fn a_server_that_comes_late_takes_the_base_and_counts_nothing_twice() {
    let clock = TestClock::default();
    let mut nodes = nodes(3);
    let mut log = Vec::new();
    let round = |nodes: &mut Vec<(Arc<Server>, Node<Server>)>, log: &mut Vec<Vec<u8>>, network| {
        for (server, node) in nodes.iter_mut() {
            server.visit(clock.now(), "/", &["/a.css"], network);
            log.extend(node.tell(clock.now(), 1 << 20));
        }
        for entry in log.iter() {
            for (_, node) in nodes.iter_mut() {
                node.hear(clock.now(), entry).unwrap();
            }
        }
        clock.pass(Duration::from_secs(20));
    };
    round(&mut nodes, &mut log, 1);
    round(&mut nodes, &mut log, 2);
    // Some of the writer's own evidence has not been told when it writes the base.
    nodes[0].0.visit(clock.now(), "/", &["/a.css"], 8);
    let (base, entry) = nodes[0].1.base(clock.now(), Some("17-3")).unwrap();
    log.extend(entry);
    let (late, mut node) = node("late", 7, eager(), &keys());
    let taken = node.take_base(clock.now(), &base).unwrap();
    assert_eq!(taken.cursor.as_deref(), Some("17-3"));
    // The whole log is read again; then everybody goes on.
    for entry in &log {
        node.hear(clock.now(), entry).unwrap();
    }
    nodes.push((Arc::clone(&late), node));
    round(&mut nodes, &mut log, 3);
    let weight = |server: &Server| server.weight(clock.now(), "/");
    for (server, node) in &nodes {
        assert!((weight(server) - 11.0).abs() < 0.05, "{} {}", node.name(), weight(server));
        assert_eq!(server.planned(clock.now(), "/"), ["/a.css"]);
    }
}

#[test]
fn a_server_that_starts_with_its_snapshot_counts_nothing_twice() {
    let clock = TestClock::default();
    let mut nodes = nodes(2);
    let mut log = Vec::new();
    for network in 0..5 {
        for (server, node) in &mut nodes {
            server.visit(clock.now(), "/", &["/a.css"], network);
            log.extend(node.tell(clock.now(), 1 << 20));
        }
        for entry in &log {
            nodes[1].1.hear(clock.now(), entry).unwrap();
        }
        clock.pass(Duration::from_secs(20));
    }
    // Something is learned, and never told.
    nodes[1].0.visit(clock.now(), "/", &["/a.css"], 9);
    let (snapshot, memory) = (nodes[1].0.learner.snapshot(clock.now()), nodes[1].1.remember(clock.now(), Some("5-0")));
    let server = Arc::new(Server::with(headstart_learn::Learner::restore(eager(), &snapshot).unwrap()));
    let mut node = Node::new("web-1", 555, &keys(), Arc::clone(&server), MEMORY, 256);
    assert_eq!(node.resume(&memory), Some(Some("5-0".to_owned())));
    for entry in &log {
        assert!(!matches!(node.hear(clock.now(), entry), Ok(Heard::New { .. })), "it is in the snapshot");
    }
    assert!((server.weight(clock.now(), "/") - 11.0).abs() < 0.05);
}

#[test]
fn the_cost_of_an_entry() {
    let clock = TestClock::default();
    let mut node = nodes(1).remove(0);
    // Twenty assets for each view, a third of them the page's own.
    for view in 0..100u64 {
        let page = format!("/p/{}", view % 40);
        let own: Vec<String> = (0..7).map(|n| format!("/own/{}/{n}.png", view % 40)).collect();
        let shared: Vec<String> = (0..13).map(|n| format!("/shared/{n}.css")).collect();
        let assets: Vec<&str> = shared.iter().chain(&own).map(|path| &**path).collect();
        node.0.visit(clock.now(), &page, &assets, view);
    }
    let entry = node.1.tell(clock.now(), 1 << 20).unwrap();
    let edges = 100 * 20 * 3;
    assert!(entry.len() < edges * 10, "{} bytes for {edges} edges", entry.len());
    eprintln!("{} bytes for 100 views, {:.1} for an edge", entry.len(), entry.len() as f64 / edges as f64);
}

/// One that has the key and makes each of its visits stand for as many as it may.
#[test]
fn a_server_that_lies_weighs_what_each_server_allows() {
    let clock = TestClock::default();
    let planted = |own: u32, allowed: u32| {
        let liar = Server::new(eager());
        let mut lies = Node::new("liar", 1, &keys(), Arc::clone(&liar), MEMORY, own);
        for network in 0..2000 {
            liar.visit(clock.now(), "/", &["/junk.css"], network);
        }
        let entry = lies.tell(clock.now(), 1 << 10).expect("an entry");
        let server = Server::new(eager());
        let mut node = Node::new("web-1", 2, &keys(), Arc::clone(&server), MEMORY, allowed);
        let heard = node.hear(clock.now(), &entry);
        (heard, server.weight(clock.now(), "/"))
    };
    let (heard, weight) = planted(256, 8);
    assert_eq!(heard, Err((Some("liar".into()), Refusal::TooHeavy)));
    assert_eq!(weight.to_bits(), 0.0f32.to_bits(), "nothing of it was taken in");
    let (heard, weight) = planted(8, 8);
    let Ok(Heard::New { learned, .. }) = heard else { panic!("{heard:?}") };
    assert!(learned.visits > 0 && weight <= 8.0 * learned.visits as f32 * 1.01, "{weight} of {learned:?}");
}
