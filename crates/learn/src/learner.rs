//! The learner as callers see it: every method takes `&self`, the locks are inside.

mod closing;
mod fleet;
mod reading;
mod refusing;
mod state;

use std::fmt;

use self::closing::Due;
pub use self::fleet::{Delta, DeltaError, Learned, Outbound};
use self::refusing::Asking;

use crate::asset::Asset;
use crate::attribution::{Named, Requester, Unattributed, attribute};
use crate::candidate::Known;
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::decay::Decay;
use crate::directory::Directory;
use crate::holdouts::Holdouts;
use crate::identity::{ClientId, ConnectionId, NetworkId};
use crate::keys::Keys;
use crate::level_name::LevelName;
use crate::metadata::Metadata;
use crate::model::Model;
use crate::observation::{CacheState, Delivery, Draw, Fetch, Fetched, Navigation, Referrer, ReferrerPolicy, Visit};
use crate::orphans::Orphans;
use crate::page::Page;
use crate::plan::Plan;
use crate::plans::Plans;
use crate::query;
use crate::returning::Returning;
use crate::site::{Shown, Site};
use crate::sites::{Place, Sites};
use crate::sync::{Arc, AtomicU64, Mutex, lock};
use crate::time::{Time, millis};
use crate::visit::{Asked, MAX_PATH, OpenVisit};
use crate::visits::Visits;

/// Learns which assets each page pulls in.
///
/// There are two locks, never held together: one over the open visits, one over the
/// model. A visit is taken out under the first and learned, once, under the second.
/// Published plans are read under neither.
pub struct Learner {
    config: Config,
    keys: Keys,
    sites: Sites,
    directory: Arc<Directory>,
    plans: Arc<Plans>,
    clock: Mutex<Clock>,
    visits: Mutex<Visits>,
    due: Due,
    returning: Mutex<Returning>,
    orphans: Mutex<Orphans>,
    model: Mutex<Model>,
    holdouts: Holdouts,
    /// Requests that belonged to no visit, and that may have belonged to several.
    unattributed: [AtomicU64; 2],
}

impl Learner {
    /// A learner that knows nothing.
    pub fn new(config: Config) -> Self {
        let decay = Decay::new(millis(config.half_life()));
        Self::with_clock(config, Clock::new(decay.max_step()))
    }

    fn with_clock(config: Config, clock: Clock) -> Self {
        let keys = Keys::new(config.key());
        let seed = keys.seed();
        let memory = config.memory_bytes();
        let (plans, visits, returning, newcomers) = (memory / 4, memory / 8, memory / 64, memory / 256);
        let model = memory - plans - visits - returning - newcomers;
        let directory = Arc::new(Directory::new(seed));
        let plans = Arc::new(Plans::new(plans, seed));
        Self {
            sites: Sites::new(config.max_sites(), config.min_networks(), newcomers, seed),
            clock: Mutex::new(clock),
            visits: Mutex::new(Visits::new(millis(config.window()), visits, seed)),
            due: Due::never(),
            returning: Mutex::new(Returning::new(returning)),
            orphans: Mutex::new(Orphans::new()),
            model: Mutex::new(Model::new(&config, model, keys.clone(), Arc::clone(&directory), Arc::clone(&plans))),
            unattributed: [AtomicU64::new(0), AtomicU64::new(0)],
            holdouts: Holdouts::new(config.max_sites()),
            directory,
            plans,
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

    /// A page of an authority, in lower case, was answered with success to a client of `network`: its site is
    /// registered if there is room.
    ///
    /// In a full table a site takes the place of the one that the fewest networks were shown in the last seven days, as
    /// soon as more networks than that, and as many as the network gate asks for, were shown it. So names that
    /// are made up by fewer networks take no place for long, and the name that somebody else needs finds one. Networks are
    /// counted up to eight: a site that as many know stays. Those without a place are remembered for the last 1,024
    /// networks, 16 of each. O(1) for a site that has a place; else O(networks).
    pub fn shown(&self, now: Time, authority: &str, network: NetworkId) -> Shown {
        let tick = self.tick(now);
        match self.sites.shown(&self.keys, authority, network.get(), day(tick)) {
            Place::Has(site) => Shown { site: Some(site), displaced: None },
            Place::None => Shown::default(),
            Place::MayDisplace => {
                let mut model = lock(&self.model);
                let taken = self.sites.displace(&self.keys, authority, network.get(), day(tick));
                taken.map_or_else(Shown::default, |taken| {
                    model.forget_site(taken.site);
                    Shown { site: Some(taken.site), displaced: Some(taken.displaced) }
                })
            }
        }
    }

    /// From now on these authorities, in lower case, keep their places, and take those of others if there is no room. They
    /// need not be known. Those that were named before and are not now are like any others.
    pub fn pin_sites<'a>(&self, authorities: impl IntoIterator<Item = &'a str>) {
        self.sites.pin(&self.keys, authorities.into_iter());
    }

    /// The site of an authority that [`site`](Self::site) or [`shown`](Self::shown) has registered.
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
        let key = self.page_key(navigation.site, page.path, query.as_deref());
        let mut visit = OpenVisit::new(navigation, (key, path_hash), query.as_deref(), tick);
        if navigation.cache == CacheState::Unknown {
            let visitor = self.keys.visitor(navigation.client.get(), navigation.site);
            visit.positive_only = lock(&self.returning).visit(visitor, tick.0);
        }
        lock(&self.orphans).asked(navigation.client.get(), path_hash, tick);
        self.with_visits((now, tick), |visits, closed| visits.open(visit, closed))
    }

    /// The chance with which a view of this plan's page should get nothing early, so that there is
    /// unbiased evidence of what the page needs; 0 where nothing is planned.
    pub fn holdout_chance(&self, site: Site, plan: &Plan) -> f32 {
        // A view that cannot be helped earns as well.
        self.holdouts.chance(site, if plan.is_empty() { 0.0 } else { plan.holdout_chance() })
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
        let tick = self.tick(now);
        self.with_visits((now, tick), |visits, closed| {
            visits.close(client.get(), path, closed);
            visits.advance(tick, closed);
        });
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
        let request = self.requester(tick, now, &Asking::from(fetch));
        let asked = request.asked;
        let attributed: Result<Visit, Unattributed> = self.with_visits((now, tick), |visits, closed| {
            visits.advance(tick, closed);
            let (visit, in_full) = attribute(visits, &request)?;
            visits.update(visit, |visit| {
                visit.named_in_full |= in_full;
                let nameless = matches!(request.referrer, Named::Nothing | Named::Origin);
                visit.anonymous |= nameless;
                visit.fetch(Asked { asset, path, metadata, at: asked, urgency: fetch.urgency, nameless });
            });
            visits.shrink(closed);
            Ok(visit)
        });
        if let Some(page) = self.page_named(&request) {
            let mut orphans = lock(&self.orphans);
            if orphans.judge(request.client, page, attributed.is_ok(), tick) {
                orphans.found(self.keys.client(request.client), tick);
            }
        }
        match attributed {
            Ok(visit) => Some(visit),
            Err(reason) => {
                self.count_unattributed(reason, request.referrer);
                None
            }
        }
    }

    /// The last byte of the page of a visit, or of an asset that was added to it, was delivered, or its
    /// response ended otherwise. A visit for which this is told closes a few seconds after the last of them.
    pub fn finished(&self, now: Time, visit: Visit) {
        let tick = self.tick(now);
        self.with_visits((now, tick), |visits, closed| {
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

    /// A client of `network` was told that the server has this asset, or page, no longer (404 or 410). When two
    /// networks were, it leaves every plan; what was known of it stays for what takes its place: the first new
    /// name of the same stem, or the same name when it is back.
    pub fn gone(&self, now: Time, site: Site, network: NetworkId, path: &str) {
        let tick = self.tick(now);
        let network = self.keys.network(network.get());
        let page = Page::from(path);
        let query = page.query.and_then(|query| query::identifying(query, self.config.campaign_fields()));
        let asset = self.keys.path(site, path);
        let page = self.page_key(site, page.path, query.as_deref());
        let mut model = lock(&self.model);
        model.gone(asset, network, tick);
        if page != asset {
            model.gone(page, network, tick);
        }
    }

    /// A connection has ended. Its visits stay open, for what the client fetches on
    /// others, until the client navigates again or their window has passed.
    pub fn disconnect(&self, connection: ConnectionId) {
        lock(&self.visits).disconnect(connection.get());
    }

    fn tick(&self, now: Time) -> Tick {
        lock(&self.clock).tick(now)
    }

    /// The key of a page, by its path and what tells pages apart of its query.
    fn page_key(&self, site: Site, path: &str, query: Option<&str>) -> u64 {
        match query {
            Some(query) => LevelName::Query(path, query).key(&self.keys, site),
            None => self.keys.path(site, path),
        }
    }

    /// The page that a request names in full; `None` where it may be a stylesheet, or an origin alone.
    fn page_named(&self, request: &Requester) -> Option<u64> {
        match request.referrer {
            Named::Path { asset, path, is_root, .. } => (!is_root && !self.directory.knows(asset)).then_some(path),
            Named::Nothing | Named::Origin => None,
        }
    }

    /// The hash of the page or site that a `Referer` names.
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
            page: self.page_key(site, page.path, query.as_deref()),
            asset: if page.query.is_some() { self.keys.path(site, target) } else { path },
            path,
            is_root: target == "/",
        }
    }
}

/// The day of a tick.
fn day(tick: Tick) -> u16 {
    u16::try_from(tick.0 / 86_400_000).unwrap_or(u16::MAX)
}

impl fmt::Debug for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learner").field("config", &self.config).finish_non_exhaustive()
    }
}
