//! The learner as callers see it: every method takes `&self`, the locks are inside.

use std::fmt;

use crate::asset::Asset;
use crate::attribution::{Named, Requester, Unattributed, attribute};
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::decay::Decay;
use crate::directory::Directory;
use crate::explain::Explanation;
use crate::identity::{ClientId, ConnectionId, NetworkId};
use crate::keys::Keys;
use crate::metadata::Metadata;
use crate::model::{Model, Outside};
use crate::observation::{ClientClass, Delivery, Draw, Fetch, Fetched, Navigation, Referrer, ReferrerPolicy, Visit};
use crate::page::Page;
use crate::pages::Pages;
use crate::plan::{Known, Plan, Published};
use crate::planner::Now;
use crate::published::Plans;
use crate::query;
use crate::site::Site;
use crate::sites::Sites;
use crate::stats::Stats;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock, try_lock};
use crate::time::{Time, millis};
use crate::visit::{Asked, MAX_PATH, OpenVisit};
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
    /// Requests that belonged to no visit, and that may have belonged to several.
    unattributed: [AtomicU64; 2],
}

impl Learner {
    /// A learner that knows nothing.
    pub fn new(config: Config) -> Self {
        let decay = Decay::new(millis(config.half_life()));
        Self::with_clock(config, Clock::new(decay.max_step()))
    }

    pub(crate) fn with_clock(config: Config, clock: Clock) -> Self {
        let keys = Keys::new(config.key());
        let seed = keys.seed();
        let plans = config.memory_bytes() / 4;
        let visits = config.memory_bytes() / 8;
        let model = config.memory_bytes() - plans - visits;
        Self {
            sites: Sites::new(config.max_sites(), seed),
            directory: Directory::new(seed),
            plans: Plans::new(plans, seed),
            clock: Mutex::new(clock),
            visits: Mutex::new(Visits::new(millis(config.window()), visits, seed)),
            model: Mutex::new(Model::new(&config, model, seed)),
            unattributed: [AtomicU64::new(0), AtomicU64::new(0)],
            keys,
            config,
        }
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
    /// page, and of the same client on connections that are gone. A page whose path and query are
    /// longer than 512 bytes is not learned. O(1).
    pub fn navigate(&self, now: Time, navigation: &Navigation<'_>) -> Visit {
        let tick = self.tick(now);
        let page = navigation.page;
        if page.path.len() + page.query.map_or(0, str::len) >= MAX_PATH {
            self.advance(now);
            return Visit { slot: u32::MAX, generation: 0 };
        }
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        let path_hash = self.keys.path(navigation.site, page.path);
        let key = query.as_deref().map_or(path_hash, |query| self.keys.page(navigation.site, page.path, Some(query)));
        let visit = OpenVisit::new(navigation, (key, path_hash), query.as_deref(), tick);
        self.with_visits(now, |visits, closed| visits.open(visit, closed))
    }

    /// The chance with which a view of this plan's page should get nothing early, so that there is
    /// unbiased evidence of what the page needs; 0 where nothing is planned.
    pub fn holdout_chance(&self, site: Site, plan: &Plan) -> f32 {
        let _ = site;
        if plan.is_empty() { 0.0 } else { plan.holdout_chance() }
    }

    /// Whether the view is held out was drawn, with this result.
    pub fn drawn(&self, visit: Visit, draw: Draw) {
        lock(&self.visits).update(visit, |visit| visit.draw = draw);
    }

    /// Marks the assets of a plan, planned or only known, that the client of a visit holds. `holds` is
    /// asked once of each.
    pub fn hold(&self, visit: Visit, plan: &Plan, mut holds: impl FnMut(&Known) -> bool) {
        let held: Vec<u64> = plan.known().iter().filter(|known| holds(known)).map(|known| known.hash).collect();
        if !held.is_empty() {
            lock(&self.visits).update(visit, |visit| {
                for hash in held {
                    visit.deliver(hash, "", Delivery::Held);
                }
            });
        }
    }

    /// The page was answered with learnable HTML. Only confirmed visits are learned.
    pub fn confirm(&self, now: Time, visit: Visit, policy: ReferrerPolicy) {
        let tick = self.tick(now);
        lock(&self.visits).update(visit, |visit| {
            visit.confirmed.get_or_insert(tick);
            visit.referrer_policy = policy;
        });
    }

    /// The page was answered with something else: the visit is forgotten.
    pub fn abandon(&self, visit: Visit) {
        lock(&self.visits).remove(visit);
    }

    /// A client has sent a request that changes something (a POST, say) and navigates: it ends the client's
    /// visit of that path, for what it fetches next belongs to the answer.
    pub fn posted(&self, now: Time, site: Site, client: ClientId, page: Page<'_>) {
        let path = self.keys.path(site, page.path);
        self.with_visits(now, |visits, closed| visits.close(client.get(), path, closed));
    }

    /// An asset was asked for and answered with a learnable response. Says to which
    /// visit it was added, if to any.
    ///
    /// A request belongs to the visit of its client to the page that it names as
    /// Referer; else to that which fetched the stylesheet or script it names; a
    /// request that names none, to the visit of its connection, or where connections say
    /// nothing to the only visit of its client. Of two candidates it belongs to neither. O(1).
    pub fn fetched(&self, now: Time, fetch: &Fetch<'_>) -> Option<Visit> {
        let tick = self.tick(now);
        let path = fetch.fetched.path();
        let asset = self.keys.path(fetch.site, path);
        let metadata = match &fetch.fetched {
            Fetched::Full(asset) => Some(Metadata::from(asset)),
            Fetched::NotModified(_) => None,
        };
        if let Some(metadata) = metadata {
            self.directory.describe(asset, metadata);
        }
        // The caller's time of asking, by the learner's clock.
        let waited = now.as_millis().saturating_sub(fetch.asked.as_millis());
        let asked = Tick(tick.0.saturating_sub(waited));
        let request = Requester {
            site: fetch.site.index,
            client: fetch.client.get(),
            connection: fetch.connection.map(ConnectionId::get),
            referrer: self.named(fetch.site, fetch.referrer),
            asked,
        };
        let attributed: Result<Visit, Unattributed> = self.with_visits(now, |visits, closed| {
            visits.advance(tick, closed);
            let (visit, in_full) = attribute(visits, &request)?;
            visits.update(visit, |visit| {
                visit.named_in_full |= in_full;
                visit.anonymous |= matches!(request.referrer, Named::Nothing | Named::Origin);
                visit.fetch(Asked { asset, path, metadata, at: asked, urgency: fetch.urgency });
            });
            visits.shrink(closed);
            Ok(visit)
        });
        match attributed {
            Ok(visit) => Some(visit),
            Err(reason) => {
                let [none, several] = &self.unattributed;
                let count = if reason == Unattributed::NoVisit { none } else { several };
                count.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// The last byte of the page of a visit, or of an asset that was added to it, was delivered, or its
    /// response ended otherwise. A visit for which this is told closes a few seconds after the last of them.
    pub fn finished(&self, now: Time, visit: Visit) {
        let tick = self.tick(now);
        self.with_visits(now, |visits, closed| {
            visits.update(visit, |visit| visit.finished(tick));
            visits.advance(tick, closed);
        });
    }

    /// An asset reached the client of a visit, or was already there, without being asked for.
    pub fn delivered(&self, visit: Visit, path: &str, how: Delivery) {
        let mut visits = lock(&self.visits);
        let Some(site) = visits.get(visit).map(|visit| visit.site) else { return };
        let asset = self.keys.path(site, path);
        visits.update(visit, |visit| visit.deliver(asset, path, how));
    }

    /// A response said this of an asset. What is not known is not made known by it;
    /// what has not changed costs one table look-up.
    pub fn describe(&self, site: Site, asset: &Asset<'_>) {
        let hash = self.keys.path(site, asset.path);
        self.directory.describe(hash, Metadata::from(asset));
    }

    /// The server has this asset, or page, no longer, as a client of `network` was told.
    pub fn gone(&self, now: Time, site: Site, network: NetworkId, path: &str) {
        let _ = (now, network);
        let hash = self.keys.path(site, path);
        let mut model = lock(&self.model);
        model.assets.gone(hash, &self.directory);
        model.page_gone(hash, &self.outside());
    }

    /// A connection has ended. Its visits stay open, for what the client fetches on
    /// others, until the client navigates again or their window has passed.
    pub fn disconnect(&self, connection: ConnectionId) {
        lock(&self.visits).disconnect(connection.get());
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
    pub fn plan(&self, now: Time, site: Site, page: Page<'_>, class: ClientClass) -> Plan {
        let _ = class;
        let page = page.path;
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
    pub fn explain(&self, now: Time, site: Site, page: Page<'_>, class: ClientClass) -> Explanation {
        let _ = class;
        let now = Now { time: now, tick: self.tick(now) };
        let mut model = lock(&self.model);
        model.explain(now, site, page.path, &self.config, &self.outside())
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
        let [no_visit, ambiguous] = &self.unattributed;
        stats.reasons.no_visit = no_visit.load(Ordering::Relaxed);
        stats.reasons.ambiguous = ambiguous.load(Ordering::Relaxed);
        lock(&self.model).add_stats(&mut stats);
        stats
    }

    pub(crate) fn tick(&self, now: Time) -> Tick {
        lock(&self.clock).tick(now)
    }

    pub(crate) fn outside(&self) -> Outside<'_> {
        Outside { keys: &self.keys, directory: &self.directory, plans: &self.plans }
    }

    /// What a `Referer` names, hashed.
    fn named(&self, site: Site, referrer: Referrer<'_>) -> Named {
        let target = match referrer {
            Referrer::Absent => return Named::Nothing,
            Referrer::Origin => return Named::Origin,
            Referrer::Path(target) => target,
        };
        let page = Page::from(target);
        let path = self.keys.path(site, page.path);
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        Named::Path {
            page: query.as_deref().map_or(path, |query| self.keys.page(site, page.path, Some(query))),
            asset: if page.query.is_some() { self.keys.path(site, target) } else { path },
            path,
            is_root: target == "/",
        }
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
        let _ = now;
        let mut closed = Closed::new();
        let result = work(&mut lock(&self.visits), &mut closed);
        if !closed.is_empty() {
            for visit in &closed {
                lock(&self.model).learn(visit, &self.outside());
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
