//! A site with visitors, for tests. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::missing_panics_doc)]

pub mod traffic;

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

/// A page of a client of any class.
pub fn page(page: &str) -> Page<'_> {
    Page::from(page)
}

pub fn builder(min_networks: u32) -> ConfigBuilder {
    Config::builder().min_networks(min_networks).key(*b"a key for tests!")
}

pub fn config(min_networks: u32) -> Config {
    builder(min_networks).build().expect("the settings are in range")
}

/// As `config`, but every visit counts.
pub fn eager(min_networks: u32) -> Config {
    eager_builder(min_networks).build().expect("the settings are in range")
}

pub fn eager_builder(min_networks: u32) -> ConfigBuilder {
    builder(min_networks).vote_interval(Duration::ZERO)
}

impl World {
    pub fn new(config: Config) -> Self {
        Self::with(Learner::new(config))
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
        (ClientId::new(self.next), ConnectionId::new(self.next))
    }

    pub fn navigation<'a>(
        &self,
        page: &'a str,
        (client, connection): (ClientId, ConnectionId),
        network: u64,
    ) -> Navigation<'a> {
        Navigation {
            site: self.site,
            page: Page::from(page),
            client,
            connection: Some(connection),
            network: NetworkId::new(network),
            class: ClientClass::Other,
            cache: CacheState::Told,
        }
    }

    /// Opens a visit by a stranger and confirms it.
    pub fn open(&mut self, page: &str, network: u64) -> (Visit, (ClientId, ConnectionId)) {
        let who = self.stranger();
        let visit = self.learner.navigate(self.time(), &self.navigation(page, who, network));
        self.learner.confirm(self.time(), visit, ReferrerPolicy::Unknown);
        (visit, who)
    }

    pub fn fetch(
        &self,
        path: &str,
        referrer: Referrer<'_>,
        (client, connection): (ClientId, ConnectionId),
    ) -> Option<Visit> {
        let fetch = Fetch {
            site: self.site,
            fetched: Fetched::Full(asset(path, 1)),
            referrer,
            client,
            connection: Some(connection),
            asked: self.time(),
            urgency: None,
        };
        self.learner.fetched(self.time(), &fetch)
    }

    /// A whole visit by a stranger, learned.
    pub fn view(&mut self, view: &View<'_>) {
        let (visit, who) = self.open(view.page, view.network);
        for (path, how) in view.delivered {
            self.learner.delivered(visit, path, *how);
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

    /// A 404 of `path`, seen from three networks.
    pub fn gone(&self, path: &str) {
        for network in 1..=3 {
            self.learner.gone(self.time(), self.site, NetworkId::new(network), path);
        }
    }

    pub fn plan(&self, page: &str) -> Plan {
        self.learner.plan(self.time(), self.site, Page::from(page), ClientClass::Other)
    }

    /// The paths of the plan in order.
    pub fn planned(&self, page: &str) -> Vec<String> {
        self.plan(page).iter().map(|candidate| candidate.path.to_string()).collect()
    }

    pub fn explain(&self, page: &str) -> Explanation {
        self.learner.explain(self.time(), self.site, Page::from(page), ClientClass::Other)
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
    Asset { path, destination, cors: false, bytes: 1000, validator, freshness: Freshness::Fresh, personal: false }
}
