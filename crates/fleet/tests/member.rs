//! Members with their tasks, over exchanges in memory and in a directory.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headstart_fleet::*;
use headstart_learn::Config;
use support::*;

/// An exchange that can be told to fail.
#[derive(Clone, Debug, Default)]
struct Faulty {
    memory: Memory,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
}

impl Faulty {
    fn pass<'a, T: Send + 'a>(&'a self, work: Pending<'a, T>) -> Pending<'a, T> {
        Box::pin(async move {
            if self.hangs.load(Ordering::Relaxed) {
                // It happens all the same, as with an engine that was stopped.
                let done = work.await;
                std::future::pending::<()>().await;
                return done;
            }
            if self.fails.load(Ordering::Relaxed) {
                return Err(ExchangeError::new(ErrorKind::Unreachable, "as the test wants"));
            }
            work.await
        })
    }
}

impl Exchange for Faulty {
    fn publish<'a>(&'a self, entry: &'a [u8]) -> Pending<'a, ()> {
        self.pass(self.memory.publish(entry))
    }
    fn read<'a>(&'a self, after: Option<&'a Cursor>, bytes: usize) -> Pending<'a, Batch> {
        self.pass(self.memory.read(after, bytes))
    }
    fn base(&self) -> Pending<'_, Option<Vec<u8>>> {
        self.pass(self.memory.base())
    }
    fn write_base<'a>(&'a self, base: &'a [u8]) -> Pending<'a, ()> {
        self.pass(self.memory.write_base(base))
    }
    fn lease<'a>(&'a self, holder: &'a str, time: Duration) -> Pending<'a, bool> {
        self.pass(self.memory.lease(holder, time))
    }
    fn announce<'a>(&'a self, node: &'a str, status: &'a [u8]) -> Pending<'a, ()> {
        self.pass(self.memory.announce(node, status))
    }
    fn nodes(&self) -> Pending<'_, Vec<Vec<u8>>> {
        self.pass(self.memory.nodes())
    }
    fn leave<'a>(&'a self, node: &'a str) -> Pending<'a, ()> {
        self.pass(self.memory.leave(node))
    }
    fn place(&self) -> String {
        "a test".into()
    }
}

fn three_networks() -> Config {
    config(&keys(), 3).build().expect("in range")
}

fn quick(exchange: impl Exchange, name: &str) -> Fleet {
    let fleet = Fleet::new(exchange, keys(), name).expect("a good name");
    fleet
        .publish(Duration::from_millis(300))
        .read(Duration::from_millis(100))
        .base(Duration::from_secs(1))
        .timeout(Duration::from_millis(200))
}

/// A server of a fleet.
struct Peer {
    server: Arc<Server>,
    member: Member,
}

fn join(exchange: &(impl Exchange + Clone), clock: &TestClock, name: &str) -> Peer {
    let server = Server::new(three_networks());
    let clock = clock.clone();
    let member = quick(exchange.clone(), name).join(Arc::clone(&server), move || clock.now());
    Peer { server, member }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("within 25 seconds: {what}");
}

/// The same laws for every exchange.
async fn one_asset_three_networks_four_servers(exchange: impl Exchange + Clone) {
    let clock = TestClock::default();
    let peers: Vec<Peer> = (0..4).map(|n| join(&exchange, &clock, &format!("web-{n}"))).collect();
    for (network, peer) in (0..3).zip(&peers) {
        peer.server.visit(clock.now(), "/", &["/a.css"], network);
    }
    until("the fourth plans it", || peers[3].server.planned(clock.now(), "/") == ["/a.css"]).await;
    until("a base is written", || peers.iter().any(|peer| peer.member.status().base.is_some())).await;
    let late = join(&exchange, &clock, "late");
    until("a late one plans it", || late.server.planned(clock.now(), "/") == ["/a.css"]).await;
    // The assets of a page that is gone at one are sent by none.
    clock.pass(Duration::from_secs(60));
    let site = peers[1].server.learner.site("shop.example").unwrap();
    for network in [1, 2] {
        peers[1].server.learner.gone(clock.now(), site, headstart_learn::NetworkId::new(network), "/");
    }
    until("none plans it", || peers.iter().chain([&late]).all(|peer| peer.server.planned(clock.now(), "/").is_empty()))
        .await;
    for peer in peers.iter().chain([&late]) {
        assert!((peer.server.weight(clock.now(), "/") - 3.0).abs() < 0.01, "{}", peer.member.status().name);
    }
    until("all are seen", || peers[0].member.status().nodes.len() == 5).await;
    late.member.leave(Duration::from_secs(2)).await;
    until("one has left", || peers[0].member.status().nodes.len() == 4).await;
}

#[tokio::test]
async fn in_memory() {
    one_asset_three_networks_four_servers(Memory::new()).await;
}

#[tokio::test]
async fn in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    // Each server has a handle of its own, as processes have.
    let path = directory.path().join("not/there/yet");
    one_asset_three_networks_four_servers(Directory::new(&path)).await;
    assert!(path.join("base").exists());
}

#[tokio::test]
async fn while_the_exchange_fails_each_goes_on_alone_and_afterwards_nothing_is_lost_or_doubled() {
    let (exchange, clock) = (Faulty::default(), TestClock::default());
    for fault in [&exchange.fails, &exchange.hangs] {
        exchange.memory.flush();
        let peers: Vec<Peer> = (0..3).map(|n| join(&exchange, &clock, &format!("web-{n}"))).collect();
        peers[0].server.visit(clock.now(), "/", &["/a.css"], 1);
        until("the first is heard", || peers[2].server.weight(clock.now(), "/") > 0.9).await;
        fault.store(true, Ordering::Relaxed);
        for network in 2..6 {
            peers[(network % 3) as usize].server.visit(clock.now(), "/", &["/a.css"], network);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        until("trouble is seen", || peers.iter().all(|peer| peer.member.status().trouble.is_some())).await;
        fault.store(false, Ordering::Relaxed);
        for peer in &peers {
            until("all is heard", || (peer.server.weight(clock.now(), "/") - 5.0).abs() < 0.01).await;
            until("trouble is over", || peer.member.status().trouble.is_none()).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        for peer in &peers {
            assert!((peer.server.weight(clock.now(), "/") - 5.0).abs() < 0.01, "nothing is doubled");
        }
        clock.pass(Duration::from_secs(3600));
    }
}

#[tokio::test]
async fn after_a_flush_the_base_comes_back_and_nothing_is_doubled() {
    let (exchange, clock) = (Memory::new(), TestClock::default());
    let peers: Vec<Peer> = (0..2).map(|n| join(&exchange, &clock, &format!("web-{n}"))).collect();
    for network in 0..3 {
        peers[0].server.visit(clock.now(), "/", &["/a.css"], network);
    }
    until("it is heard", || peers[1].server.planned(clock.now(), "/") == ["/a.css"]).await;
    exchange.flush();
    peers[0].server.visit(clock.now(), "/", &["/a.css"], 7);
    until("the log goes on", || (peers[1].server.weight(clock.now(), "/") - 4.0).abs() < 0.01).await;
    until("the base is back", || exchange.contents().iter().any(|entry| entry.get(8) == Some(&2))).await;
    let late = join(&exchange, &clock, "late");
    until("a late one knows all", || (late.server.weight(clock.now(), "/") - 4.0).abs() < 0.01).await;
}

#[tokio::test]
async fn what_is_stored_shows_nothing() {
    let (exchange, clock) = (Memory::new(), TestClock::default());
    let peers: Vec<Peer> = (0..2).map(|n| join(&exchange, &clock, &format!("web-{n}"))).collect();
    for network in 0..4 {
        peers[0].server.visit(clock.now(), "/secret-page", &["/secret.css"], network);
    }
    until("it is heard", || peers[1].server.planned(clock.now(), "/secret-page") == ["/secret.css"]).await;
    until("a base is written", || exchange.contents().iter().any(|entry| entry.get(8) == Some(&2))).await;
    let key = keys().evidence();
    for entry in exchange.contents() {
        let text = String::from_utf8_lossy(&entry);
        assert!(!text.contains("secret") && !text.contains("shop.example"), "{text}");
        assert!(!entry.windows(16).any(|bytes| bytes == key), "the key");
    }
}

#[tokio::test]
async fn two_servers_of_one_name_are_noticed_and_both_are_heard() {
    let (exchange, clock) = (Memory::new(), TestClock::default());
    let peers: Vec<Peer> = (0..2).map(|_| join(&exchange, &clock, "web")).collect();
    let third = join(&exchange, &clock, "other");
    for (network, peer) in (0..).zip(&peers) {
        peer.server.visit(clock.now(), "/", &["/a.css"], network);
    }
    until("both are heard", || (third.server.weight(clock.now(), "/") - 2.0).abs() < 0.01).await;
    until("it is noticed", || third.member.status().doubled_names(clock.now()) == ["web"]).await;
}

#[test]
fn bad_names_are_refused() {
    for name in ["", "a b", ".hidden", "a/b", &"x".repeat(65)] {
        assert!(Fleet::new(Memory::new(), keys(), name).is_err(), "{name}");
    }
}
