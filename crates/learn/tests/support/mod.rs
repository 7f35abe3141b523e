//! A site with visitors, for tests. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::missing_panics_doc)]

use std::time::Duration;

use headstart_learn::*;

pub const SECOND: u64 = 1000;
pub const HOUR: u64 = 3600 * SECOND;
pub const DAY: u64 = 24 * HOUR;

/// A learner with a clock of its own.
pub struct World {
    pub learner: Learner,
    pub site: Site,
    pub now: u64,
    next: u64,
}

/// One navigation and what followed.
pub struct View<'a> {
    pub page: &'a str,
    pub assets: &'a [&'a str],
    pub network: u64,
    pub delivered: &'a [(&'a str, Delivery)],
}

pub fn config(min_networks: u32) -> Config {
    let mut config = Config::default();
    config.min_networks = min_networks;
    config.key = *b"a key for tests!";
    config
}

/// As `config`, but every visit counts.
pub fn eager(min_networks: u32) -> Config {
    let mut config = config(min_networks);
    config.vote_interval = Duration::ZERO;
    config
}

impl World {
    pub fn new(config: Config) -> Self {
        let learner = Learner::new(config).expect("the settings are in range");
        Self::with(learner)
    }

    pub fn with(learner: Learner) -> Self {
        let site = learner.site("example.org").expect("there is room");
        Self { learner, site, now: 1_700_000_000_000, next: 0 }
    }

    pub fn time(&self) -> Time {
        Time::from_millis(self.now)
    }

    pub fn pass(&mut self, millis: u64) {
        self.now += millis;
    }

    /// A new client and connection.
    pub fn stranger(&mut self) -> (ClientId, ConnectionId) {
        self.next += 1;
        (ClientId(self.next), ConnectionId(self.next))
    }

    pub fn navigation<'a>(
        &self,
        page: &'a str,
        (client, connection): (ClientId, ConnectionId),
        network: u64,
    ) -> Navigation<'a> {
        Navigation { site: self.site, page, client, connection, network: NetworkId(network), holdout: false }
    }

    /// Opens a visit by a stranger and confirms it.
    pub fn open(&mut self, page: &str, network: u64) -> (Visit, (ClientId, ConnectionId)) {
        let who = self.stranger();
        let visit = self.learner.navigate(self.time(), &self.navigation(page, who, network));
        self.learner.confirm(self.time(), visit);
        (visit, who)
    }

    pub fn fetch(
        &self,
        path: &str,
        referrer: Referrer<'_>,
        (client, connection): (ClientId, ConnectionId),
    ) -> Option<Visit> {
        let fetch = Fetch { site: self.site, asset: asset(path, 1), referrer, client, connection };
        self.learner.fetched(self.time(), &fetch)
    }

    /// A whole visit by a stranger, learned.
    pub fn view(&mut self, view: &View<'_>) {
        let (visit, who) = self.open(view.page, view.network);
        for (path, how) in view.delivered {
            self.learner.delivered(self.time(), visit, path, *how);
        }
        for path in view.assets {
            self.fetch(path, Referrer::Path(view.page), who);
        }
        self.pass(16 * SECOND);
        self.learner.advance(self.time());
    }

    /// Visits by strangers from networks 1, 2, and so on.
    pub fn views(&mut self, count: u64, page: &str, assets: &[&str]) {
        for network in 1..=count {
            self.view(&View { page, assets, network, delivered: &[] });
        }
    }

    pub fn plan(&self, page: &str) -> Plan {
        self.learner.plan(self.time(), self.site, page)
    }

    /// The paths of the plan in order.
    pub fn planned(&self, page: &str) -> Vec<String> {
        self.plan(page).iter().map(|candidate| candidate.path.to_string()).collect()
    }

    pub fn explain(&self, page: &str) -> Explanation {
        self.learner.explain(self.time(), self.site, page)
    }
}

/// An asset whose destination follows from its extension.
pub fn asset(path: &str, validator: u64) -> Asset<'_> {
    let name = path.split('?').next().unwrap_or_default();
    let destination = match name.rsplit('.').next() {
        Some("css") => Destination::Style,
        Some("js") => Destination::Script,
        Some("woff2") => Destination::Font,
        Some("png") => Destination::Image,
        _ => Destination::Fetch,
    };
    Asset { path, destination, cors: false, bytes: 1000, validator, freshness: Freshness::Fresh }
}
