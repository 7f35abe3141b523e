//! Servers with learners and a clock, for tests and for the benchmark of fleets. Each of them uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::missing_panics_doc)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headstart_fleet::{Keys, Node};
use headstart_learn::{
    Asset, CacheState, ClientClass, ClientId, Config, ConfigBuilder, ConnectionId, Destination, Explanation, Fetch,
    Fetched, Freshness, Learner, Navigation, NetworkId, Page, Referrer, ReferrerPolicy, Time,
};

pub const START: u64 = 1_700_000_000_000;

/// The clock of a test, in milliseconds.
#[derive(Clone, Debug)]
pub struct TestClock(pub Arc<AtomicU64>);

impl Default for TestClock {
    fn default() -> Self {
        TestClock(Arc::new(AtomicU64::new(START)))
    }
}

impl TestClock {
    pub fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::Relaxed))
    }

    pub fn pass(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

/// A server: its learner.
#[derive(Debug)]
pub struct Server {
    pub learner: Learner,
    next: AtomicU64,
}

impl AsRef<Learner> for Server {
    fn as_ref(&self) -> &Learner {
        &self.learner
    }
}

pub fn keys() -> Keys {
    Keys::parse("evidence = AAAAAAAAAAAAAAAAAAAAAA\ncookie = AAAAAAAAAAAAAAAAAAAAAQ").expect("two keys")
}

pub fn config(keys: &Keys, networks: u32) -> ConfigBuilder {
    Config::builder().min_networks(networks).key(keys.evidence())
}

impl Server {
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Server::with(Learner::new(config)))
    }

    pub fn with(learner: Learner) -> Self {
        Server { learner, next: AtomicU64::new(1) }
    }

    /// A visit of a stranger, learned at once.
    pub fn visit(&self, now: Time, page: &str, assets: &[impl AsRef<str>], network: u64) {
        let site = self.learner.site("shop.example").expect("room for a site");
        let number = self.next.fetch_add(1, Ordering::Relaxed) << 32 | network & 0xffff_ffff;
        let (client, connection) = (ClientId::new(number), Some(ConnectionId::new(number)));
        let visit = self.learner.navigate(
            now,
            &Navigation {
                site,
                page: Page::from(page),
                client,
                connection,
                network: NetworkId::new(network),
                class: ClientClass::Other,
                cache: CacheState::Told,
            },
        );
        self.learner.confirm(now, visit, ReferrerPolicy::Unknown);
        for path in assets {
            let asset = Asset {
                path: path.as_ref(),
                destination: Destination::Style,
                cors: false,
                bytes: 1000,
                validator: 1,
                freshness: Freshness::Fresh,
                personal: false,
            };
            let fetch = Fetch {
                site,
                fetched: Fetched::Full(asset),
                referrer: Referrer::Path(page),
                client,
                connection,
                asked: now,
                urgency: None,
            };
            self.learner.fetched(now, &fetch);
        }
        self.learner.finish(now);
    }

    pub fn planned(&self, now: Time, page: &str) -> Vec<String> {
        let Some(site) = self.learner.known_site("shop.example") else { return Vec::new() };
        let plan = self.learner.plan(now, site, Page::from(page), ClientClass::Other);
        plan.iter().map(|candidate| candidate.path.to_string()).collect()
    }

    pub fn explain(&self, now: Time, page: &str) -> Explanation {
        let site = self.learner.site("shop.example").expect("room for a site");
        self.learner.explain(now, site, Page::from(page), ClientClass::Other)
    }

    /// The decayed number of visits of a page.
    pub fn weight(&self, now: Time, page: &str) -> f32 {
        self.explain(now, page).levels.last().map_or(0.0, |level| level.weight)
    }
}

pub const MEMORY: usize = 1 << 20;

/// Every visit is a vote.
pub fn eager() -> Config {
    config(&keys(), 1).vote_interval(Duration::ZERO).build().expect("in range")
}

pub fn node(name: &str, boot: u64, config: Config, keys: &Keys) -> (Arc<Server>, Node<Server>) {
    let server = Server::new(config);
    (Arc::clone(&server), Node::new(name, boot, keys, server, MEMORY, 256))
}
