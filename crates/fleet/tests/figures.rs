//! Figures that travel with the evidence, and what is left of both after a server was killed.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use headstart_fleet::{Figures, Node};
use proptest::prelude::*;
use support::*;

/// A number that is measured.
#[derive(Debug, Default)]
struct Count(Mutex<(u64, u64)>);

impl Count {
    fn measure(&self, more: u64) {
        self.0.lock().unwrap().0 += more;
    }

    /// What is known of all, with what was not told.
    fn all(&self) -> u64 {
        let (untold, known) = *self.0.lock().unwrap();
        untold + known
    }
}

impl Figures for Count {
    fn take(&self, most: usize) -> Option<Vec<u8>> {
        let mut both = self.0.lock().unwrap();
        if both.0 == 0 || most < 8 {
            return None;
        }
        let told = std::mem::take(&mut both.0);
        both.1 += told;
        Some(told.to_le_bytes().to_vec())
    }

    fn add(&self, told: &[u8]) -> bool {
        let told = told.try_into().map(u64::from_le_bytes);
        told.is_ok_and(|told| {
            self.0.lock().unwrap().1 += told;
            true
        })
    }

    fn known(&self) -> Vec<u8> {
        self.0.lock().unwrap().1.to_le_bytes().to_vec()
    }

    fn replace(&self, known: &[u8]) -> bool {
        let known = known.try_into().map(u64::from_le_bytes);
        known.is_ok_and(|known| {
            self.0.lock().unwrap().1 = known;
            true
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is measured anywhere is known to all, once, also to one that comes late or starts again.
    #[test]
    fn figures_add_up_whatever_becomes_of_entries(
        measured in prop::collection::vec((0usize..3, 1u64..100), 1..30),
        twice in prop::collection::vec(any::<bool>(), 30),
        base_after in 0usize..30,
    ) {
        let clock = TestClock::default();
        let of = |name: &str, boot| {
            let count = Arc::new(Count::default());
            let (_, node) = node(name, boot, eager(), &keys());
            (Arc::clone(&count), node.with_figures(count))
        };
        let mut servers: Vec<_> = (0..3).map(|n| of(&format!("web-{n}"), n)).collect();
        let (late, mut latecomer) = of("late", 9);
        let (mut log, mut total, mut base) = (Vec::new(), 0, None);
        for (step, (at, more)) in measured.iter().enumerate() {
            servers[*at].0.measure(*more);
            total += more;
            log.extend(servers[*at].1.tell(clock.now(), 1 << 20));
            if step == base_after {
                for (_, node) in &mut servers {
                    for entry in &log {
                        node.hear(clock.now(), entry).unwrap();
                    }
                }
                let (written, entry) = servers[0].1.base(clock.now(), None).unwrap();
                log.extend(entry);
                base = Some(written);
            }
        }
        for (entry, twice) in log.clone().into_iter().zip(&twice) {
            log.extend(twice.then_some(entry));
        }
        if let Some(base) = base {
            latecomer.take_base(clock.now(), &base).unwrap();
        }
        servers.push((late, latecomer));
        for (count, node) in &mut servers {
            for entry in log.iter().rev() {
                node.hear(clock.now(), entry).unwrap();
            }
            prop_assert_eq!(count.all(), total, "{}", node.name());
            let (again, mut restarted) = of(node.name(), 77);
            prop_assert!(restarted.resume(&node.remember(clock.now(), None)).is_some());
            for entry in &log {
                restarted.hear(clock.now(), entry).unwrap();
            }
            prop_assert_eq!(again.all(), total, "{} after a restart", node.name());
        }
    }
}

/// A server that is killed goes on with its last snapshot, and with what it told since: from the log, like the others. Lost
/// is what it had not told yet.
#[test]
fn a_server_that_is_killed_loses_no_more_than_it_had_not_told() {
    let clock = TestClock::default();
    let count = Arc::new(Count::default());
    let (server, first) = node("web-1", 1, eager(), &keys());
    let mut first = first.with_figures(Arc::clone(&count) as Arc<dyn Figures>);
    let mut log = Vec::new();
    let step = |network| {
        server.visit(clock.now(), "/", &["/a.css"], network);
        count.measure(1);
        clock.pass(Duration::from_secs(1));
    };
    step(0);
    log.extend(first.tell(clock.now(), 1 << 20));
    step(1);
    let snapshot = server.learner.snapshot(clock.now());
    // Between the snapshot and what goes with it time passes.
    step(2);
    let memory = first.remember(clock.now(), None);
    for network in 3..=5 {
        step(network);
        log.extend(first.tell(clock.now(), 1 << 20));
    }
    step(6);
    drop(first);

    let restored = Arc::new(Server::with(headstart_learn::Learner::restore(eager(), &snapshot).unwrap()));
    let known = Arc::new(Count::default());
    let second = Node::new("web-1", 2, &keys(), Arc::clone(&restored), MEMORY, 256);
    let mut second = second.with_figures(Arc::clone(&known) as Arc<dyn Figures>);
    assert_eq!(second.resume(&memory), Some(None));
    // All of it, twice, the other way round the second time.
    for entry in log.iter().chain(log.iter().rev()) {
        second.hear(clock.now(), entry).unwrap();
    }
    assert_eq!(known.all(), 6, "all figures that were told");
    // 0 and 1 in the snapshot, 4 and 5 told later; 2 and 3 were told in one entry with 1.
    let weight = restored.weight(clock.now(), "/");
    assert!((weight - 4.0).abs() < 0.05, "{weight}");
    // Where nothing waited to be told, nothing of the next entry is left out.
    let (server, mut first) = node("web-1", 4, eager(), &keys());
    let (snapshot, memory) = (server.learner.snapshot(clock.now()), first.remember(clock.now(), None));
    server.visit(clock.now(), "/", &["/a.css"], 0);
    let told = first.tell(clock.now(), 1 << 20).unwrap();
    let restored = Arc::new(Server::with(headstart_learn::Learner::restore(eager(), &snapshot).unwrap()));
    let mut second = Node::new("web-1", 5, &keys(), Arc::clone(&restored), MEMORY, 256);
    assert!(second.resume(&memory).is_some() && second.hear(clock.now(), &told).is_ok());
    assert!((restored.weight(clock.now(), "/") - 1.0).abs() < 0.01);
    // Another server heard all that was told.
    let (other, mut third) = node("web-2", 3, eager(), &keys());
    for entry in &log {
        third.hear(clock.now(), entry).unwrap();
    }
    assert!((other.weight(clock.now(), "/") - 6.0).abs() < 0.05);
}

#[test]
fn what_is_in_the_snapshot_is_not_learned_from_the_log_after_two_restarts_either() {
    let clock = TestClock::default();
    let (server, mut first) = node("web-1", 1, eager(), &keys());
    server.visit(clock.now(), "/", &["/a.css"], 0);
    let (snapshot, memory) = (server.learner.snapshot(clock.now()), first.remember(clock.now(), None));
    let told = first.tell(clock.now(), 1 << 20).unwrap();
    // The second process is saved before it has read anything.
    let start = |boot, snapshot: &[u8], memory: &[u8]| {
        let server = Arc::new(Server::with(headstart_learn::Learner::restore(eager(), snapshot).unwrap()));
        let mut node = Node::new("web-1", boot, &keys(), Arc::clone(&server), MEMORY, 256);
        assert!(node.resume(memory).is_some());
        (server, node)
    };
    let (server, second) = start(2, &snapshot, &memory);
    let (snapshot, memory) = (server.learner.snapshot(clock.now()), second.remember(clock.now(), None));
    let (server, mut third) = start(3, &snapshot, &memory);
    third.hear(clock.now(), &told).unwrap();
    let weight = server.weight(clock.now(), "/");
    assert!((weight - 1.0).abs() < 0.05, "{weight}");
}

#[test]
fn what_is_measured_is_told_at_once_if_half_of_an_entry_has_room_for_it() {
    let clock = TestClock::default();
    let count = Arc::new(Count::default());
    let mut node = node("web-1", 1, eager(), &keys()).1.with_figures(Arc::clone(&count) as Arc<dyn Figures>);
    count.measure(1);
    assert!(node.tell(clock.now(), 8).is_none(), "eight bytes do not fit into half of eight");
    count.measure(1);
    assert!(node.tell(clock.now(), 16).is_some());
}
