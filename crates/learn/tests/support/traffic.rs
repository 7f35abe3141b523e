//! A site under simulated traffic, driving the learner as the facade does: hints, hold-outs, caches, 404s.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::missing_panics_doc)]

use std::collections::{HashMap, HashSet};

use headstart_learn::*;

use super::asset;

/// A generator of numbers that is the same in every run of one seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut word = self.0;
        word ^= word >> 33;
        word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
        word ^ word >> 33
    }

    /// 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Most hints of a page.
const MAX_HINTS: usize = 16;

/// A server with the learner behind it.
pub struct Server {
    pub learner: Learner,
    pub site: Site,
    /// Milliseconds.
    pub now: u64,
    pub random: Random,
    /// The paths that the server answers with 404.
    pub gone: HashSet<String>,
    /// The assets that each client holds.
    pub caches: HashMap<u64, HashSet<String>>,
    pub cookies: bool,
    next_client: u64,
}

/// One view: who, of what, and what the page needs.
pub struct Visitor<'a> {
    pub page: &'a str,
    pub needs: Vec<String>,
    /// Asked for some seconds after the page has fallen silent.
    pub late: Vec<(String, u64)>,
    /// A client that came before, or a new one.
    pub client: Option<u64>,
    pub class: ClientClass,
    pub network: Option<u64>,
}

impl<'a> Visitor<'a> {
    pub fn new(page: &'a str, needs: &[String]) -> Self {
        Visitor {
            page,
            needs: needs.to_vec(),
            late: Vec::new(),
            client: None,
            class: ClientClass::Other,
            network: None,
        }
    }
}

/// The outcome of a view.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub held_out: bool,
    pub hinted: Vec<String>,
    pub needed: Vec<String>,
}

impl Outcome {
    /// The part of what was needed that was hinted; 1 if nothing was needed.
    pub fn recall(&self) -> f64 {
        if self.needed.is_empty() {
            return 1.0;
        }
        self.needed.iter().filter(|path| self.hinted.contains(path)).count() as f64 / self.needed.len() as f64
    }

    /// How many hints were of no use.
    pub fn junk(&self) -> usize {
        self.hinted.iter().filter(|path| !self.needed.contains(path)).count()
    }
}

impl Server {
    pub fn new(seed: u64) -> Self {
        let config = Config::builder().key(*b"a key for tests!").build().expect("the settings are in range");
        let learner = Learner::new(config);
        let site = learner.site("example.org").expect("there is room");
        Server {
            learner,
            site,
            now: 1_700_000_000_000,
            random: Random(seed),
            gone: HashSet::new(),
            caches: HashMap::new(),
            cookies: true,
            next_client: 0,
        }
    }

    pub fn pass(&mut self, millis: u64) {
        self.now += millis;
        self.learner.advance(Time::from_millis(self.now));
    }

    /// A view from its navigation to its last byte, which takes a second of time or more.
    pub fn view(&mut self, visitor: &Visitor<'_>) -> Outcome {
        let client = visitor.client.unwrap_or_else(|| {
            self.next_client += 1;
            1_000_000 + self.next_client
        });
        let network = visitor.network.unwrap_or(client);
        let held = self.caches.entry(client).or_default().clone();
        let start = self.now;
        let time = |after: u64| Time::from_millis(start + after);
        let connection = Some(ConnectionId::new(client << 20 | self.random.next() & 0xf_ffff));
        let page = Page::from(visitor.page);
        let knows_cache = self.cookies && !held.is_empty();
        let cache = if knows_cache { CacheState::Told } else { CacheState::Unknown };
        let visit = self.learner.navigate(
            time(0),
            &Navigation {
                site: self.site,
                page,
                client: ClientId::new(client),
                network: NetworkId::new(network),
                connection,
                class: visitor.class,
                cache,
            },
        );
        let plan = self.learner.plan(time(0), self.site, page, visitor.class);
        let chance = self.learner.holdout_chance(self.site, &plan);
        let held_out = self.random.share() < f64::from(chance);
        self.learner.drawn(visit, Draw { chance, held_out });
        if knows_cache {
            self.learner.hold(visit, &plan, |known| held.contains(&*known.path));
        }
        self.learner.confirm(time(50), visit, ReferrerPolicy::Unknown);
        let mut hinted = Vec::new();
        if !held_out {
            let known_held = |path: &str| knows_cache && held.contains(path);
            let sent = plan.iter().filter(|candidate| !known_held(&candidate.path)).take(MAX_HINTS);
            hinted.extend(sent.map(|candidate| candidate.path.to_string()));
        }
        for path in &hinted {
            self.learner.delivered(visit, path, Delivery::Hinted);
        }
        let mut asked: Vec<(String, u64)> = Vec::new();
        asked.extend(hinted.iter().filter(|path| !held.contains(*path)).map(|path| (path.clone(), 60)));
        let own = visitor.needs.iter().filter(|path| !held.contains(*path) && !hinted.contains(path));
        asked.extend(own.map(|path| (path.clone(), 200)));
        asked.extend(visitor.late.iter().map(|(path, after)| (path.clone(), *after)));
        asked.sort_by_key(|(_, after)| *after);
        self.learner.finished(time(100), visit);
        for (path, after) in asked {
            if self.gone.contains(&path) {
                self.learner.gone(time(after + 20), self.site, NetworkId::new(network), &path);
                continue;
            }
            let fetch = Fetch {
                site: self.site,
                fetched: Fetched::Full(asset(&path, 1)),
                referrer: Referrer::Path(visitor.page),
                client: ClientId::new(client),
                connection,
                asked: time(after),
                urgency: None,
            };
            if let Some(visit) = self.learner.fetched(time(after + 20), &fetch) {
                self.learner.finished(time(after + 100), visit);
            }
            self.caches.entry(client).or_default().insert(path);
        }
        let needed = visitor.needs.iter().filter(|path| !held.contains(*path)).cloned().collect();
        Outcome { held_out, hinted, needed }
    }

    /// Views of strangers, with `every` milliseconds between two, for `span` milliseconds.
    pub fn history(&mut self, page: &str, needs: &[String], span: u64, every: u64) {
        for _ in 0..span / every {
            self.view(&Visitor::new(page, needs));
            self.pass(every);
        }
    }
}

pub fn names(prefix: &str, count: usize, suffix: &str) -> Vec<String> {
    (0..count).map(|n| format!("/{prefix}{n}{suffix}")).collect()
}
