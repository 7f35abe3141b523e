//! The learner as callers see it: every method takes `&self`, the locks are inside.

use std::fmt;

use crate::clock::{Clock, Tick};
use crate::config::{Config, ConfigError};
use crate::decay::Decay;
use crate::directory::Directory;
use crate::explain::Explanation;
use crate::keys::Keys;
use crate::model::{Model, Outside};
use crate::observation::{Asset, Delivery, Fetch, Navigation, Site, Visit};
use crate::pages::Pages;
use crate::plan::{Plan, Published};
use crate::planner::Now;
use crate::published::Plans;
use crate::sites::Sites;
use crate::stats::Stats;
use crate::sync::{Arc, Mutex, lock, try_lock};
use crate::time::{Time, millis};
use crate::visit::{MAX_PATH, Metadata, OpenVisit};
use crate::visits::{Closed, Visits};

/// Learns which assets each page pulls in.
///
/// There are two locks, never held together: one over the open visits, one over the
/// model. A visit is taken out under the first and learned, once, under the second.
/// Published plans are read under neither.
pub struct Learner {
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) sites: Sites,
    pub(crate) directory: Directory,
    pub(crate) plans: Plans,
    pub(crate) clock: Mutex<Clock>,
    pub(crate) visits: Mutex<Visits>,
    pub(crate) model: Mutex<Model>,
}

impl Learner {
    /// A learner that knows nothing.
    ///
    /// # Errors
    ///
    /// When a setting is out of the range that its documentation gives.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let decay = Decay::new(millis(config.half_life));
        Self::with_clock(config, Clock::new(decay.max_step()))
    }

    pub(crate) fn with_clock(config: Config, clock: Clock) -> Result<Self, ConfigError> {
        config.check()?;
        let keys = Keys::new(config.key);
        let seed = keys.seed();
        let plans = config.memory_bytes / 4;
        let visits = config.memory_bytes / 8;
        let model = config.memory_bytes - plans - visits;
        Ok(Self {
            sites: Sites::new(config.max_sites, seed),
            directory: Directory::new(seed),
            plans: Plans::new(plans, seed),
            clock: Mutex::new(clock),
            visits: Mutex::new(Visits::new(millis(config.window), visits, seed)),
            model: Mutex::new(Model::new(&config, model, seed)),
            keys,
            config,
        })
    }

    /// The site of an authority, which the caller has put in lower case. A new one is
    /// registered; `None` when the table is full or the name is empty or too long for
    /// a host and port.
    pub fn site(&self, authority: &str) -> Option<Site> {
        self.sites.register(&self.keys, authority)
    }

    /// The site of an authority that [`site`](Self::site) has registered.
    pub fn known_site(&self, authority: &str) -> Option<Site> {
        self.sites.find(&self.keys, authority)
    }

    /// A navigation request has arrived: opens a visit and learns those that it ends.
    ///
    /// It ends the visits of the same connection, of the same client to the same
    /// page, and of the same client on connections that are gone. A page whose path is
    /// longer than 512 bytes is not learned. O(1).
    pub fn navigate(&self, now: Time, navigation: &Navigation<'_>) -> Visit {
        let tick = self.tick(now);
        if navigation.page.len() > MAX_PATH {
            self.advance(now);
            return Visit { slot: u32::MAX, generation: 0 };
        }
        let page = self.keys.path(navigation.site, navigation.page);
        let visit = OpenVisit::new(navigation, page, tick);
        self.with_visits(now, |visits, closed| visits.open(visit, closed))
    }

    /// The page was answered with learnable HTML. Only confirmed visits are learned.
    pub fn confirm(&self, now: Time, visit: Visit) {
        let tick = self.tick(now);
        lock(&self.visits).update(visit, |visit| {
            visit.confirmed.get_or_insert(tick);
        });
    }

    /// The page was answered with something else: the visit is forgotten.
    pub fn abandon(&self, now: Time, visit: Visit) {
        self.with_visits(now, |visits, closed| {
            visits.remove(visit);
            visits.advance(self.tick(now), closed);
        });
    }

    /// An asset was asked for and answered with a learnable response. Says to which
    /// visit it was added, if to any.
    ///
    /// A request belongs to the latest visit of its client to the page that it names as
    /// Referer; else to that which fetched the stylesheet or script it names; a
    /// request that names none, to the latest visit of its connection. O(1).
    pub fn fetched(&self, now: Time, fetch: &Fetch<'_>) -> Option<Visit> {
        let tick = self.tick(now);
        let asset = self.keys.path(fetch.site, fetch.asset.path);
        let metadata = Metadata::from(&fetch.asset);
        self.directory.describe(asset, metadata);
        self.with_visits(now, |visits, closed| {
            visits.advance(tick, closed);
            let hash = |path: &str| self.keys.path(fetch.site, path);
            let who = (fetch.client.0, fetch.connection.0);
            let visit = visits.attribute(fetch.site.index, fetch.referrer, who, hash)?;
            visits.update(visit, |visit| visit.fetch(asset, fetch.asset.path, metadata));
            visits.shrink(closed);
            Some(visit)
        })
    }

    /// An asset reached the client of a visit, or was already there, without being asked for.
    pub fn delivered(&self, now: Time, visit: Visit, path: &str, how: Delivery) {
        let tick = self.tick(now);
        self.with_visits(now, |visits, closed| {
            let Some(site) = visits.get(visit).map(|visit| visit.site) else { return };
            let asset = self.keys.path(site, path);
            visits.update(visit, |visit| visit.deliver(asset, path, how));
            visits.advance(tick, closed);
        });
    }

    /// A response said this of an asset. What is not known is not made known by it;
    /// what has not changed costs one table look-up.
    pub fn describe(&self, now: Time, site: Site, asset: &Asset<'_>) {
        let _ = now;
        let hash = self.keys.path(site, asset.path);
        self.directory.describe(hash, Metadata::from(asset));
    }

    /// The server has this asset, or page, no longer. It leaves every plan at once.
    pub fn gone(&self, now: Time, site: Site, path: &str) {
        let _ = now;
        let hash = self.keys.path(site, path);
        let mut model = lock(&self.model);
        model.assets.gone(hash, &self.directory);
        model.page_gone(hash, &self.outside());
    }

    /// A connection has ended. Its visits stay open, for what the client fetches on
    /// others, until the client navigates again or their window has passed.
    pub fn disconnect(&self, now: Time, connection: crate::ConnectionId) {
        let tick = self.tick(now);
        self.with_visits(now, |visits, closed| {
            visits.disconnect(connection.0);
            visits.advance(tick, closed);
        });
    }

    /// Learns the visits whose window has passed. Every other method that takes part
    /// in a visit does so too; a quiet server may call this now and then.
    pub fn advance(&self, now: Time) {
        let tick = self.tick(now);
        self.with_visits(now, |visits, closed| visits.advance(tick, closed));
    }

    /// Closes and learns every open visit, as at shutdown.
    pub fn finish(&self, now: Time) {
        self.tick(now);
        self.with_visits(now, Visits::finish);
    }

    /// What to send early for a page.
    ///
    /// Takes the published plan: O(1) whatever its length. If none is kept it is built,
    /// in O(e log e) for e assets at the levels of the page; one that is a minute old,
    /// or that new evidence has overtaken, is built anew unless the model is busy.
    pub fn plan(&self, now: Time, site: Site, page: &str) -> Plan {
        let key = self.keys.path(site, page);
        let plan = match self.plans.get(key).map(|plan| self.current(key, plan)) {
            Some(plan) if !plan.is_stale(now) => Some(plan),
            Some(plan) => match try_lock(&self.model) {
                Some(mut model) => self.publish(&mut model, now, site, page),
                None => Some(plan),
            },
            None => self.publish(&mut lock(&self.model), now, site, page),
        };
        plan.map_or_else(Plan::default, |plan| self.current(key, plan).into())
    }

    /// Why the plan of a page is what it is: every asset past the network gate.
    pub fn explain(&self, now: Time, site: Site, page: &str) -> Explanation {
        let now = Now { time: now, tick: self.tick(now) };
        let mut model = lock(&self.model);
        model.explain(now, site, page, &self.config, &self.outside())
    }

    /// The heaviest pages that have passed the network gate, at most `max` of them, of all
    /// sites. O(n log n) for n pages, during which nothing is learned.
    pub fn pages(&self, now: Time, max: usize) -> Pages {
        let tick = self.tick(now);
        lock(&self.model).pages(max, tick, &self.sites)
    }

    /// Counts for operators. O(pages).
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            sites: self.sites.len(),
            plans: self.plans.len(),
            bytes: self.plans.bytes() + self.sites.bytes(),
            ..Stats::default()
        };
        {
            let visits = lock(&self.visits);
            stats.open_visits = visits.len();
            stats.bytes += visits.bytes();
        }
        lock(&self.model).add_stats(&mut stats);
        stats
    }

    pub(crate) fn tick(&self, now: Time) -> Tick {
        lock(&self.clock).tick(now)
    }

    pub(crate) fn outside(&self) -> Outside<'_> {
        Outside { keys: &self.keys, directory: &self.directory, plans: &self.plans, sites: &self.sites }
    }

    fn publish(&self, model: &mut Model, time: Time, site: Site, page: &str) -> Option<Arc<Published>> {
        let now = Now { time, tick: self.tick(time) };
        model.publish(now, site, page, &self.config, &self.outside())
    }

    /// The plan with what is known of its assets now.
    fn current(&self, key: u64, plan: Arc<Published>) -> Arc<Published> {
        match plan.renewed(&self.directory) {
            Some(renewed) => {
                let renewed = Arc::new(renewed);
                self.plans.replace(key, &plan, &renewed);
                renewed
            }
            None => plan,
        }
    }

    /// Works on the open visits, then learns those that it closed.
    fn with_visits<T>(&self, now: Time, work: impl FnOnce(&mut Visits, &mut Closed) -> T) -> T {
        let mut closed = Closed::new();
        let result = work(&mut lock(&self.visits), &mut closed);
        if !closed.is_empty() {
            let now = Now { time: now, tick: self.tick(now) };
            for visit in &closed {
                lock(&self.model).learn(now, visit, &self.outside());
            }
        }
        result
    }
}

impl fmt::Debug for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learner").field("config", &self.config).finish_non_exhaustive()
    }
}
