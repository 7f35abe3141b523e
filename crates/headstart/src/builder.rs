//! Settings, checked once.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headstart_learn::Learner;
use ipnet::IpNet;

use crate::Headstart;
use crate::build_error::BuildError;
use crate::cookie_format::CookieFormat;
use crate::engine::{Clock, Engine, Limits, Observer, Operator, Parts, VerifyHeld, half};
use crate::event::Event;
use crate::fingerprint::Fingerprints;
use crate::forwarded::{ForwardedBy, TrustedProxies};
use crate::headstart::lower_case;
use crate::holdout::Holdout;
use crate::markup_settings::Markup;
use crate::rules::{Budget, Rules};
use crate::saver::Saver;
#[cfg(feature = "serve")]
use crate::serving_settings::ServingSettings;
use crate::state;
use crate::state_file::{self, StateFile};
use crate::view::PageView;

/// Builds a [`Headstart`]. Every setting has a default; all are checked in [`build`](Builder::build).
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    learner: headstart_learn::ConfigBuilder,
    operator: Operator,
    cookie: CookieFormat,
    holdout: u32,
    limits: Limits,
    observers: Vec<Observer>,
    proxies: TrustedProxies,
    #[cfg(feature = "serve")]
    pub(crate) serving: ServingSettings,
    secret: Option<[u8; 32]>,
    snapshot: Option<Vec<u8>>,
    pub(crate) keeps_half_life: bool,
    pub(crate) state: Option<PathBuf>,
    pub(crate) state_interval: Duration,
    clock: Option<Clock>,
    #[cfg(feature = "fleet")]
    pub(crate) fleet: Option<headstart_fleet::Fleet>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            learner: headstart_learn::Config::builder(),
            operator: Operator::default(),
            cookie: CookieFormat::default(),
            holdout: 32,
            limits: Limits {
                push_threshold: 0.4,
                budget: Budget::default(),
                verify_held: VerifyHeld::default(),
                max_diary_entries: 256,
                min_networks: 3,
                markup: Markup::default(),
                shared_edge: false,
                aa: false,
                beacon: false,
            },
            observers: Vec::new(),
            proxies: TrustedProxies::default(),
            #[cfg(feature = "serve")]
            serving: ServingSettings::default(),
            secret: None,
            snapshot: None,
            keeps_half_life: false,
            state: None,
            state_interval: Duration::from_secs(30),
            clock: None,
            #[cfg(feature = "fleet")]
            fleet: None,
        }
    }
}

impl Headstart {
    /// Settings, all with defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The time in which what was learned loses half its weight. 1 day.
    pub fn half_life(mut self, half_life: Duration) -> Self {
        self.learner = self.learner.half_life(half_life);
        self
    }

    /// How long after its navigation a visit takes in assets. 15 s.
    pub fn window(mut self, window: Duration) -> Self {
        self.learner = self.learner.window(window);
        self
    }

    /// Networks (IPv4 /24, IPv6 /56) that must have needed an asset before it is sent to anybody. 3.
    ///
    /// Networks are counted within the blocks that one party can hold: an IPv4 /16 and an IPv6 /48 count as 2 at most, an
    /// IPv6 /32 as 8. A client that takes its cookie to other networks counts with the one on which it got the cookie.
    ///
    /// 1 lets a single client teach what all others get with one visit, which is right for one developer and nobody else;
    /// votes are then not limited in time either. A request that was forwarded by a proxy outside of
    /// [`trusted_proxies`](Self::trusted_proxies) then teaches nothing, for its client is another than its
    /// peer. It is told what local clients taught, without names that look like one person's, and nothing is pushed to it.
    pub fn min_networks(mut self, networks: u32) -> Self {
        self.limits.min_networks = networks;
        let votes = if networks == 1 { Duration::ZERO } else { headstart_learn::Config::default().vote_interval() };
        let visits = if networks == 1 { 1 } else { headstart_learn::Config::default().min_visits() };
        self.learner = self.learner.min_networks(networks).vote_interval(votes).min_visits(visits);
        self
    }

    /// One page view in about so many gets nothing early, to measure what pages need by themselves. 32; 0 is none, 1 is
    /// all. All views of a page by one client are of one kind for a day.
    pub fn holdout(mut self, every: u32) -> Self {
        self.holdout = every;
        self
    }

    /// A check of the measurement: hold-outs are drawn and reported as ever, and get help like all other views, so that a
    /// comparison of both has to find no difference (an A/A test). Nothing is learned from them meanwhile. Off.
    pub fn aa(mut self, aa: bool) -> Self {
        self.limits.aa = aa;
        self
    }

    /// Whether pages carry a token in `Server-Timing`, with which browsers may report what a view was like: see
    /// [`Headstart::take_beacon`]. Off.
    pub fn beacon(mut self, beacon: bool) -> Self {
        self.limits.beacon = beacon;
        self
    }

    /// The authorities (`example.org`, `example.org:8443`) that pages are learned for. By default any of which pages are
    /// shown, 256 at most. When all places are taken, a site that more networks were shown in the last seven days takes
    /// the place of one that fewer were, if they are as many as [`min_networks`](Self::min_networks); a line in the log
    /// says so.
    pub fn hosts<H: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.operator.hosts = Some(lower_case(hosts));
        self
    }

    /// Authorities whose sites keep their places, where any are learned for: they displace others at their first page,
    /// and are displaced by none. Those of [`hosts`](Self::hosts) do so in any case.
    pub fn pinned_hosts<H: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.operator.pinned_hosts = lower_case(hosts);
        self
    }

    /// Fields of a query that do not tell pages apart, beside those that campaigns are known to add (`utm_*`, `gclid`,
    /// `fbclid` and their kind).
    pub fn campaign_fields<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        for name in names {
            self.learner = self.learner.campaign_field(name.as_ref());
        }
        self
    }

    /// Changes what is made of the markup of pages, which is read beside the path of the request while they are sent:
    /// how they ask for their assets, what they put off, which other origins they need. All uses are on.
    ///
    /// Needs the feature `markup`, and pages that [`Headstart::serve`] sends.
    ///
    /// ```
    /// use headstart::Headstart;
    ///
    /// let headstart = Headstart::builder().markup(|markup| markup.cold_start = false).build()?;
    /// # Ok::<(), headstart::BuildError>(())
    /// ```
    pub fn markup(mut self, change: impl FnOnce(&mut Markup)) -> Self {
        change(&mut self.limits.markup);
        self
    }

    /// Whether a cache in front, such as that of a content delivery network, keeps what one client is answered for others:
    /// some make 103s of the `Link` fields of a response that they keep. Then every client is told the whole list: there is
    /// no cookie, nothing is subtracted, and no view is held out. Off.
    pub fn shared_edge(mut self, shared: bool) -> Self {
        self.limits.shared_edge = shared;
        self
    }

    /// The operator's own rules. By default there are none.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.operator.rules = rules;
        self
    }

    /// The cookie that says what a client holds. [`CookieFormat::Headstart`].
    pub fn cookie(mut self, format: CookieFormat) -> Self {
        self.cookie = format;
        self
    }

    /// Most pushes of one page. 16.
    pub fn max_pushes(mut self, count: usize) -> Self {
        self.limits.budget.max_pushes = count;
        self
    }

    /// Most bytes of the pushes of one page together. 1 MiB.
    pub fn max_push_bytes(mut self, bytes: u64) -> Self {
        self.limits.budget.max_push_bytes = bytes;
        self
    }

    /// Assets named in a 103 or in `Link` fields of one page. 16.
    pub fn max_hints(mut self, count: usize) -> Self {
        self.limits.budget.max_hints = count;
        self
    }

    /// The lower bound of the probability from which an asset is pushed. 0.4: a push that nobody needs costs its bytes.
    pub fn push_threshold(mut self, probability: f32) -> Self {
        self.limits.push_threshold = probability;
        self
    }

    /// The lower bound of the probability from which an asset is named in a 103 or in `Link`. 0.25: a name that nobody
    /// needs costs a field.
    pub fn hint_threshold(mut self, probability: f32) -> Self {
        self.learner = self.learner.hint_threshold(probability);
        self
    }

    /// When an asset that a client claims to hold is compared with what would be sent now.
    /// [`VerifyHeld::Mutable`].
    pub fn verify_held(mut self, verify: VerifyHeld) -> Self {
        self.limits.verify_held = verify;
        self
    }

    /// Bytes of memory for all that is learned. 64 MiB.
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.learner = self.learner.memory_bytes(bytes);
        self
    }

    /// Proxies that ask for others, and the field in which they name these: the last address in it that is no such
    /// proxy is the client. By default there are none, and the field is not looked at.
    ///
    /// A connection of a proxy carries many clients: nothing is pushed on it, and what was sent on it tells nothing
    /// of what a client holds. Hints, `Link` and the cookie work as ever.
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>, field: ForwardedBy) -> Self {
        self.proxies = TrustedProxies { networks: networks.into_iter().collect(), field };
        self
    }

    /// The key of cookies and hashes. By default that of the snapshot, else random. Servers of one site share it.
    pub fn secret(mut self, secret: [u8; 32]) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Starts with a snapshot that [`Headstart::snapshot`] wrote.
    pub fn snapshot(mut self, bytes: Vec<u8>) -> Self {
        self.snapshot = Some(bytes);
        self
    }

    /// The clock, in place of the system's: for simulations and tests of days in seconds. What is learned,
    /// cookies and hold-outs go by it; timeouts of connections, the state file and the times in
    /// [`VisitReport`](crate::VisitReport)s do not. It should not go back.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Called for every page view, on the connection's task: hand it on, do not work on it.
    pub fn on_page_view(self, observer: impl Fn(&PageView) + Send + Sync + 'static) -> Self {
        self.on_event(move |event| {
            if let Event::View(view) = event {
                observer(view);
            }
        })
    }

    /// Called for every [`Event`], on the connection's task: hand it on, do not work on it. There may be several
    /// observers; with none, nothing is timed.
    pub fn on_event(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Checks the settings and builds.
    ///
    /// # Errors
    ///
    /// Names the setting that is out of range, or says why the snapshot or the file of [`state`](Self::state) cannot be
    /// used; nothing of it is used then, and the file stays as it is.
    pub fn build(mut self) -> Result<Headstart, BuildError> {
        if self.state_interval.is_zero() {
            return Err(BuildError::setting("state interval", "has to be more than 0"));
        }
        let file = self.state.take().map(|path| StateFile::new(path, self.state_interval));
        if let Some(file) = &file
            && self.snapshot.is_none()
        {
            let found = state_file::read(file.path());
            self.snapshot = found.map_err(|error| BuildError::file(file.path(), error))?;
        }
        let path = file.as_ref().map(|file| file.path().to_owned());
        self.build_with(file).map_err(|error| error.of_file(path))
    }

    fn build_with(self, file: Option<StateFile>) -> Result<Headstart, BuildError> {
        #[cfg(feature = "serve")]
        let connections = self.serving.build()?;
        #[cfg(feature = "fleet")]
        let fleet = self.fleet;
        let Builder { learner, operator, cookie, holdout, limits, observers, .. } = self;
        let Builder { secret, snapshot, keeps_half_life, proxies, clock, .. } = self;
        #[cfg(feature = "serve")]
        let limits = Limits { max_diary_entries: connections.h2.max_diary_entries, ..limits };
        if !(0.0..=1.0).contains(&limits.push_threshold) {
            return Err(BuildError::setting("push threshold", "has to be between 0 and 1"));
        }
        let snapshot = snapshot.as_deref().map(state::read).transpose().map_err(BuildError::snapshot)?;
        let secret = match (secret, snapshot) {
            (Some(secret), _) | (None, Some((secret, _))) => secret,
            (None, None) => random()?,
        };
        let config = learner.key(half(&secret, 1)).build();
        let config = config.map_err(|error| BuildError::setting(error.setting(), "is out of range"))?;
        let window = config.window();
        let fingerprints =
            Fingerprints::new(cookie, half(&secret, 0)).map_err(|problem| BuildError::setting("cookie", problem))?;
        let identity_key = half(&secret, 0);
        #[cfg(feature = "fleet")]
        let (fingerprints, identity_key) = crate::membership::keyed(fleet.as_ref(), fingerprints, identity_key);
        #[cfg(feature = "fleet")]
        let membership = fleet.map(|fleet| {
            let path = file.as_ref().map(StateFile::path);
            Arc::new(crate::membership::Membership::new(fleet, path, snapshot.is_none()))
        });
        let learner = match snapshot {
            Some((_, bytes)) if keeps_half_life => Learner::restore_with_its_half_life(&config, bytes),
            Some((_, bytes)) => Learner::restore(config, bytes),
            None => Ok(Learner::new(config)),
        };
        let learner = learner.map_err(|error| BuildError::snapshot(error.into()))?;
        let holdout = Holdout::new(holdout, half(&secret, 1));
        let parts = Parts {
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
        };
        let engine = Arc::new(Engine::new(parts));
        Ok(Headstart {
            saver: file.map(|file| {
                Arc::new(Saver {
                    engine: Arc::clone(&engine),
                    file,
                    #[cfg(feature = "fleet")]
                    fleet: membership.clone(),
                })
            }),
            #[cfg(feature = "fleet")]
            fleet: membership,
            engine,
            #[cfg(feature = "serve")]
            connections: Arc::new(connections),
        })
    }
}

fn random() -> Result<[u8; 32], BuildError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|_| BuildError::setting("secret", "cannot be drawn: the system gives no random bytes"))?;
    Ok(secret)
}
