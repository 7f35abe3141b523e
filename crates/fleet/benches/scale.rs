//! What a fleet costs each of its servers, by their number: bytes told and read, and processor time, through the real code.
//!
//! `cargo bench -p headstart-fleet --bench scale [-- NODES ...]`. Every node has 10 views a second, of pages that follow
//! Zipf's law over 100,000, with 22 assets each of which 10 are the page's own. One node in each fleet is measured: it hears
//! what all others tell. Time is simulated, so that only the processor is waited for.

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use headstart_fleet::{Heard, Node};
use support::{Server, TestClock, config, keys};

const PAGES: usize = 100_000;
const VIEWS_A_SECOND: u64 = 10;
const PUBLISH: u64 = 10;
const ROUNDS: u64 = 12;
const READ_BUDGET: f64 = 65_536.0;

/// A generator of numbers that is the same in every run.
struct Random(u64);

impl Random {
    /// 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = self.0 ^ self.0 >> 33;
        (word.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The page of a view: the inverse of the sum of Zipf's law, which is nearly a logarithm.
fn page(random: &mut Random) -> usize {
    ((PAGES as f64).powf(random.share()) as usize).min(PAGES - 1)
}

fn view(server: &Server, clock: &TestClock, random: &mut Random, shared: &[String], network: u64) {
    let page = page(random);
    let own: Vec<String> = (0..10).map(|n| format!("/images/{page}/{n}.png")).collect();
    let assets: Vec<&str> = shared.iter().chain(&own).map(|path| &**path).collect();
    server.visit(clock.now(), &format!("/shop/{}/{page}", page % 40), &assets, network);
}

fn measure(count: usize) {
    let (clock, mut random) = (TestClock::default(), Random(count as u64));
    let keys = keys();
    let memory = |bytes| config(&keys, 3).memory_bytes(bytes).build().expect("in range");
    let node = |at: usize| {
        // The one that is measured has the memory of a real one.
        let server = Server::new(memory(if at == 0 { 64 << 20 } else { 2 << 20 }));
        let node = Node::new(&format!("web-{at}"), at as u64, &keys, Arc::clone(&server), 4 << 20, 256);
        (server, node)
    };
    let mut nodes: Vec<_> = (0..count).map(node).collect();
    let shared: Vec<String> = (0..12).map(|n| format!("/assets/{n}.css")).collect();
    let (mut told, mut heard, mut visits, mut views) = (0usize, 0usize, 0usize, 0u64);
    let (mut telling, mut hearing) = (Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        let mut entries = Vec::new();
        for (at, (server, node)) in nodes.iter_mut().enumerate() {
            for _ in 0..VIEWS_A_SECOND * PUBLISH {
                views += 1;
                view(server, &clock, &mut random, &shared, views);
            }
            let tellers = (count - 1).max(1);
            let budget = (READ_BUDGET / tellers as f64 * PUBLISH as f64) as usize;
            let start = Instant::now();
            let entry = node.tell(clock.now(), budget.clamp(256, 1 << 20));
            // The first round has every name in it.
            if at == 0 && round > 1 {
                telling += start.elapsed();
                told += entry.as_ref().map_or(0, Vec::len);
            }
            entries.extend(entry.filter(|_| at > 0));
        }
        let start = Instant::now();
        for entry in &entries {
            let result = nodes[0].1.hear(clock.now(), entry);
            if let (Ok(Heard::New { learned, .. }), true) = (&result, round > 1) {
                visits += learned.visits;
            }
        }
        if round > 1 {
            hearing += start.elapsed();
            heard += entries.iter().map(Vec::len).sum::<usize>();
        }
        clock.pass(Duration::from_secs(PUBLISH));
    }
    let seconds = ((ROUNDS - 2) * PUBLISH) as f64;
    let percent = |time: Duration| 100.0 * time.as_secs_f64() / seconds;
    let all = (count.saturating_sub(1) as u64 * VIEWS_A_SECOND) as f64;
    println!(
        "| {count} | {:.1} | {:.1} | {:.2} | {:.2} | {:.1} | {:.0} % |",
        told as f64 / seconds / 1024.0,
        heard as f64 / seconds / 1024.0,
        percent(telling),
        percent(hearing),
        visits as f64 / seconds,
        if all > 0.0 { 100.0 * visits as f64 / seconds / all } else { 100.0 },
    );
}

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let counts = if given.is_empty() { vec![1, 3, 10, 100, 1000] } else { given };
    println!(
        "| servers | KiB/s told | KiB/s read | % of a core to tell | % of a core to hear | visits/s heard | of all |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for count in counts {
        measure(count);
    }
}
