//! State that all connections share: the learner, the secrets, the settings.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use headstart_learn::{ConnectionId, Draw, Learner, NetworkId, Site, Time};
use http::HeaderValue;

use crate::beacon::Beacons;
use crate::cookie_networks::CookieNetworks;
use crate::event::Event;
use crate::fingerprint::Fingerprints;
use crate::forwarded::TrustedProxies;
use crate::holdout::Holdout;
use crate::identity::Identities;
use crate::markup_settings::Markup;
use crate::open_views::OpenViews;
use crate::pages::Pages;
use crate::rules::{Budget, PageRules, Rules};
use crate::unlearned::{Ledger, Unlearned};

/// Told of every event.
pub(crate) type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Says what time it is.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// When a push that the client's cookie claims to hold is compared with what the service would send now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyHeld {
    /// Always: a change is noticed at once. Asks the service for every held asset of a page that could be pushed;
    /// for services that answer from memory.
    Always,
    /// Unless its response said `immutable`.
    #[default]
    Mutable,
    /// Never: a change is noticed when some client has fetched the asset.
    Never,
}

/// Limits of early delivery: how much, and to whom. Checked by the builder.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) push_threshold: f32,
    pub(crate) budget: Budget,
    pub(crate) verify_held: VerifyHeld,
    /// Entries of a connection's diary; the oldest gives way.
    pub(crate) max_diary_entries: usize,
    /// Networks that must have needed an asset before it is sent.
    pub(crate) min_networks: u32,
    pub(crate) markup: Markup,
    /// A cache in front keeps what one client is answered for others.
    pub(crate) shared_edge: bool,
    /// Hold-outs get help like others, to check the measurement.
    pub(crate) aa: bool,
    /// Pages carry a token for a beacon.
    pub(crate) beacon: bool,
}

impl Limits {
    /// The treatment of a view with this draw.
    pub(crate) fn treatment(&self, draw: Draw) -> Draw {
        Draw { held_out: draw.held_out && !self.aa, ..draw }
    }
}

pub(crate) struct Engine {
    pub(crate) learner: Learner,
    operator: RwLock<Operator>,
    pub(crate) identities: Identities,
    pub(crate) fingerprints: Option<Fingerprints>,
    pub(crate) holdout: Holdout,
    pub(crate) limits: Limits,
    pub(crate) observers: Vec<Observer>,
    /// Views that are timed by client, and not by connection.
    pub(crate) open_views: OpenViews,
    /// `None` if pages carry no tokens.
    pub(crate) beacons: Option<Beacons>,
    pub(crate) secret: [u8; 32],
    /// In place of the system's.
    clock: Option<Clock>,
    /// How long a visit takes in assets.
    pub(crate) window: Duration,
    pub(crate) proxies: TrustedProxies,
    pub(crate) counters: Counters,
    /// Why responses and views teach nothing.
    pub(crate) unlearned: Ledger,
    cookie_networks: CookieNetworks,
    pub(crate) pages: Arc<Pages>,
    #[cfg(feature = "markup")]
    pub(crate) desk: Arc<crate::reading::Desk>,
    connections: AtomicU64,
}

/// The operator's decisions, which may change while the server runs.
#[derive(Default)]
pub(crate) struct Operator {
    /// Authorities that are learned for; `None` is all that there is room for.
    pub(crate) hosts: Option<HashSet<String>>,
    /// Authorities whose sites no other displaces, beside those.
    pub(crate) pinned_hosts: HashSet<String>,
    pub(crate) rules: Rules,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) views: AtomicU64,
    pub(crate) held_out: AtomicU64,
    pub(crate) pushed: AtomicU64,
    pub(crate) pushes_finished: AtomicU64,
    pub(crate) pushes_cancelled: AtomicU64,
    pub(crate) pushes_unfinished: AtomicU64,
    pub(crate) hinted: AtomicU64,
    pub(crate) linked: AtomicU64,
    pub(crate) held: AtomicU64,
    pub(crate) corrupt_cookies: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            learner,
            operator,
            fingerprints,
            identity_key,
            holdout,
            limits,
            observers,
            secret,
            clock,
            window,
            proxies,
        } = parts;
        let identities = Identities::new(identity_key);
        let pages = Arc::new(Pages::new(identities.clone()));
        // The number of a view makes its token another one. It begins anywhere, so that no start repeats the one before.
        let number = RandomState::new().hash_one(0_u8) as u32;
        let beacons = limits.beacon.then(|| Beacons::new(half(&secret, 0), limits.min_networks > 1, number));
        let engine = Engine {
            learner,
            operator: RwLock::new(operator),
            identities,
            fingerprints,
            holdout,
            limits,
            observers,
            open_views: OpenViews::default(),
            beacons,
            secret,
            clock,
            window,
            proxies,
            counters: Counters::default(),
            unlearned: Ledger::default(),
            cookie_networks: CookieNetworks::new(),
            #[cfg(feature = "markup")]
            desk: Arc::new(crate::reading::Desk::new(Arc::clone(&pages))),
            pages,
            connections: AtomicU64::new(1),
        };
        engine.set_operator(|_| {});
        engine
    }

    fn operator(&self) -> RwLockReadGuard<'_, Operator> {
        self.operator.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_operator(&self, set: impl FnOnce(&mut Operator)) {
        let mut operator = self.operator.write().unwrap_or_else(PoisonError::into_inner);
        set(&mut operator);
        let hosts = operator.hosts.iter().flatten();
        self.learner.pin_sites(hosts.chain(&operator.pinned_hosts).map(String::as_str));
    }

    /// The operator's rules for a page.
    pub(crate) fn rules(&self, authority: &str, page: &str) -> PageRules {
        self.operator().rules.of_page(authority, page)
    }

    /// Whether pages of an authority, in lower case, are learned.
    pub(crate) fn learns_for(&self, authority: &str) -> bool {
        self.operator().hosts.as_ref().is_none_or(|hosts| hosts.contains(authority))
    }

    /// The site of an authority of which a page was shown to a client of `network`; `None` if there is no room for it.
    pub(crate) fn shown(&self, now: Time, authority: &str, network: NetworkId) -> Option<Site> {
        let shown = self.learner.shown(now, authority, network);
        if let Some(displaced) = &shown.displaced {
            tracing::warn!(
                site = authority,
                %displaced,
                "a site took the place of one that fewer networks know: what was learned of that one is gone; sites \
                 that are named in the configuration keep their places"
            );
        }
        if shown.site.is_none() {
            self.unlearned.count(Unlearned::SiteTable);
        }
        shown.site
    }

    /// The network that counts for a client with this cookie, which asks from `network`: the one on which the cookie was
    /// first set.
    pub(crate) fn network_of_cookie(&self, cookie: Option<&[u8]>, network: NetworkId) -> NetworkId {
        cookie.map_or(network, |cookie| self.cookie_networks.network(self.identities.cookie(cookie), network))
    }

    /// A client that counts with `network` is given a cookie by this `Set-Cookie` field.
    pub(crate) fn set_network_of_cookie(&self, field: &HeaderValue, network: NetworkId) {
        let pair = field.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let value = pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.get(at + 1..)).unwrap_or_default();
        self.cookie_networks.set(self.identities.cookie(value), network);
    }

    /// The present, in milliseconds since 1970. The facade is the only layer that reads a clock.
    pub(crate) fn now(&self) -> Time {
        let now = self.clock.as_ref().map_or_else(SystemTime::now, |clock| clock());
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
    }

    /// Whether it is worth while to note what observers would be told.
    pub(crate) fn is_observed(&self) -> bool {
        !self.observers.is_empty()
    }

    pub(crate) fn tell(&self, event: &Event) {
        for observer in &self.observers {
            observer(event);
        }
    }

    /// Reports the views of clients whose time has passed.
    pub(crate) fn close_views(&self, now: Instant) {
        for report in self.open_views.expire(now) {
            self.tell(&Event::Visit(report));
        }
    }

    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId::new(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}

/// The parts of an engine.
pub(crate) struct Parts {
    pub(crate) learner: Learner,
    pub(crate) operator: Operator,
    pub(crate) fingerprints: Option<Fingerprints>,
    /// Makes numbers of clients and networks.
    pub(crate) identity_key: [u8; 16],
    pub(crate) holdout: Holdout,
    pub(crate) limits: Limits,
    pub(crate) observers: Vec<Observer>,
    pub(crate) secret: [u8; 32],
    pub(crate) clock: Option<Clock>,
    pub(crate) window: Duration,
    pub(crate) proxies: TrustedProxies,
}

/// One of the two keys in a secret.
pub(crate) fn half(secret: &[u8; 32], which: usize) -> [u8; 16] {
    let (first, second) = secret.split_at(16);
    let half = if which == 0 { first } else { second };
    half.try_into().unwrap_or_default()
}

/// Days since 1970 of a time that is milliseconds since then.
pub(crate) fn day(now: Time) -> u16 {
    u16::try_from(now.as_millis() / 86_400_000).unwrap_or(u16::MAX)
}
