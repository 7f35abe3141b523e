//! A page view: what is planned for it, what the client holds of that, and what is done about the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headstart_learn::{Candidate, Freshness, Navigation, Site, Time, Visit};
use headstart_policy::{Promise, Refusal};
use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{StatusCode, response};

use crate::assets::{Assets, Named};
use crate::decided::Decided;
use crate::engine::{Engine, VerifyHeld, day};
use crate::exchange::{ConnectionState, Ways, Who, described};
use crate::fingerprint::Fingerprint;
use crate::item::{Item, Push, Tag};
use crate::link;
use crate::need;
use crate::request::{self, Wishes};
use crate::response as answer;
use crate::rules::{Bans, Budget, PageRules};
use crate::view::{Decision, Outlet, Reason};

/// Request fields that are copied into a promise: those that select a response and say nothing of who asks.
const PROMISED_FIELDS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// Assets of one view that are looked at: learned ones and what the application names. The rest is left out.
const MAX_ITEMS: usize = 128;
/// What a push of unknown length counts for in the page's budget, bytes; the driver counts the same.
const UNKNOWN_BYTES: u64 = 64 << 10;

/// What is known of a navigation when it arrives.
pub(crate) struct Opened {
    pub(crate) site: Site,
    pub(crate) authority: Arc<str>,
    pub(crate) navigation: request::Navigation,
    pub(crate) ways: Ways,
    pub(crate) who: Who,
}

/// A navigation from its head to its end.
#[expect(clippy::struct_excessive_bools, reason = "facts about a request, independent of each other")]
pub(crate) struct PageExchange {
    pub(crate) site: Site,
    pub(crate) authority: Arc<str>,
    pub(crate) page: Arc<str>,
    /// Which of its connection's views this is.
    pub(crate) number: u64,
    pub(crate) visit: Visit,
    /// Whether the visit was confirmed or abandoned.
    visit_settled: bool,
    /// Whether the client acts on hints, as browsers do.
    pub(crate) browser: bool,
    pub(crate) outlet: Outlet,
    pub(crate) held_out: bool,
    saves_data: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) corrupt_cookie: bool,
    promised_fields: HeaderMap,
    pushed_bytes: u64,
    rules: PageRules,
    budget: Budget,
    pub(crate) decided: Decided,
}

impl PageExchange {
    /// Opens the visit and decides on what was learned.
    pub(crate) fn open(
        engine: &Engine,
        connection: &mut ConnectionState,
        opened: Opened,
        head: &Parts,
        now: Time,
    ) -> Self {
        let Opened { site, authority, navigation, ways, who } = opened;
        let page: Arc<str> = head.uri.path().into();
        let number = connection.navigate(engine, &page);
        let held_out = engine.holdout.draw();
        let visit = engine.learner.navigate(
            now,
            &Navigation {
                site,
                page: &page,
                client: engine.identities.client(who.address, &head.headers),
                network: who.network,
                connection: who.connection,
                holdout: held_out,
            },
        );
        let wishes = Wishes::of(&head.headers);
        let outlet = if ways.push {
            Outlet::Push
        } else if ways.interim && navigation.browser && !wishes.no_hints {
            Outlet::EarlyHints
        } else {
            Outlet::Link
        };
        let fingerprints = engine.fingerprints.as_ref().filter(|_| !wishes.no_tracking);
        let read = fingerprints.map(|fingerprints| fingerprints.read(&head.headers, day(now)));
        let corrupt_cookie = read.as_ref().is_some_and(|read| read.corrupt);
        let rules = engine.rules(&authority, &page);
        let mut exchange = PageExchange {
            site,
            authority,
            page,
            number,
            visit,
            visit_settled: false,
            browser: navigation.browser,
            outlet,
            held_out,
            saves_data: wishes.little_data,
            items: Vec::new(),
            fingerprint: read.map(|read| read.fingerprint),
            corrupt_cookie,
            promised_fields: promised_fields(&head.headers),
            pushed_bytes: 0,
            budget: rules.budget.unwrap_or(engine.limits.budget),
            rules,
            decided: Decided::default(),
        };
        let always: Vec<Named> = exchange.rules.always().cloned().collect();
        for named in &always {
            exchange.add_named(connection, named);
        }
        if let Some(assets) = head.extensions.get::<Assets>() {
            for named in &assets.list {
                exchange.add_named(connection, named);
            }
        }
        let plan = engine.learner.plan(now, site, &exchange.page);
        // What the page needs most first: budgets end somewhere.
        for urgency in need::URGENCIES {
            let is = |candidate: &&Candidate| need::urgency(candidate.destination, candidate.cors) == urgency;
            for candidate in plan.candidates().iter().filter(is) {
                exchange.add_learned(engine, connection, candidate);
            }
        }
        exchange
    }

    /// The fields of the 103, if this client gets one.
    pub(crate) fn early_hints(&self) -> Option<HeaderMap> {
        let mut fields = HeaderMap::new();
        for item in self.items.iter().filter(|item| item.decision == Decision::Hinted) {
            if let Some(value) = item.link() {
                fields.append(header::LINK, value);
            }
        }
        (!fields.is_empty()).then_some(fields)
    }

    /// What to ask the service for and was not asked before: the pushes, and what the client's cookie claims to hold
    /// but may have changed since. A path that is no path of a request is omitted.
    pub(crate) fn promises(&mut self, engine: &Engine) -> Vec<Promise<Tag>> {
        if self.outlet != Outlet::Push {
            return Vec::new();
        }
        let verify = |item: &Item| match engine.limits.verify_held {
            VerifyHeld::Always => true,
            VerifyHeld::Mutable => item.freshness != Freshness::Immutable,
            VerifyHeld::Never => false,
        };
        let wanted = |item: &Item| match item.decision {
            Decision::Pushed => true,
            Decision::Held => !item.barred && verify(item),
            _ => false,
        };
        let mut promises = Vec::new();
        for (at, item) in self.items.iter_mut().enumerate().filter(|(_, item)| !item.promised && wanted(item)) {
            item.promised = true;
            match item.path.parse() {
                Ok(path) => {
                    let tag = Tag::new(Push {
                        item: at,
                        view: self.number,
                        authority: Arc::clone(&self.authority),
                        page: Arc::clone(&self.page),
                        asset: Arc::clone(&item.path),
                        bytes: AtomicU64::new(item.bytes),
                    });
                    let priority = Some(need::priority(item.destination, item.cors));
                    promises.push(Promise { path, headers: self.promised_fields.clone(), priority, tag });
                }
                Err(_) => item.decision = Decision::Omitted(Reason::Driver(Refusal::Invalid)),
            }
        }
        promises
    }

    /// The head of the response is known: only a page that was shown is learned from.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, now: Time) {
        self.visit_settled = true;
        if answer::is_page(head) {
            engine.learner.confirm(now, self.visit);
            return;
        }
        engine.learner.abandon(now, self.visit);
        if matches!(head.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            engine.learner.gone(now, self.site, &self.page);
        }
    }

    /// Reads what the application names in its response.
    pub(crate) fn read_named(&mut self, connection: &ConnectionState, head: &mut response::Parts) {
        if let Some(assets) = head.extensions.remove::<Assets>() {
            for named in &assets.list {
                self.add_named(connection, named);
            }
        }
        let authority = Arc::clone(&self.authority);
        let page = Arc::clone(&self.page);
        for field in head.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()) {
            for preload in link::preloads(field, &authority, &page) {
                self.add_preload(connection, &preload);
            }
        }
    }

    /// A response that would be pushed is ready: is it what was expected, and is it still needed?
    pub(crate) fn admit(
        &mut self,
        engine: &Engine,
        connection: &ConnectionState,
        tag: &Push,
        head: &response::Parts,
        bytes: Option<u64>,
        now: Time,
    ) -> bool {
        let Some(mut item) = self.items.get(tag.item).cloned() else {
            return false;
        };
        if matches!(head.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            engine.learner.gone(now, self.site, &item.path);
        }
        let found = (head.status == StatusCode::OK)
            .then(|| described(engine, &item.path, item.cors, &head.headers, bytes))
            .flatten();
        let pushed = self.items.iter().filter(|item| item.decision == Decision::Pushed).count();
        let one_more = item.decision != Decision::Pushed && pushed >= self.budget.max_pushes;
        item.decision = match found {
            None => Decision::Omitted(Reason::NotPushable),
            Some(asset) => {
                engine.learner.describe(now, self.site, &asset);
                (item.bytes, item.validator) = (asset.bytes, asset.validator);
                tag.bytes.store(item.bytes, Ordering::Relaxed);
                let counted = if item.bytes == 0 { UNKNOWN_BYTES } else { item.bytes };
                let pushed_bytes = self.pushed_bytes.saturating_add(counted);
                if self.is_held(connection, &item) {
                    Decision::Held
                } else if one_more || pushed_bytes > self.budget.max_push_bytes {
                    Decision::Omitted(Reason::Budget)
                } else {
                    self.pushed_bytes = pushed_bytes;
                    Decision::Pushed
                }
            }
        };
        let admitted = item.decision == Decision::Pushed;
        if let Some(place) = self.items.get_mut(tag.item) {
            *place = item;
        }
        admitted
    }

    /// The exchange is over; a page that never answered was no visit.
    pub(crate) fn ended(self, engine: &Engine, now: Time) {
        if !self.visit_settled {
            engine.learner.abandon(now, self.visit);
        }
    }

    fn add_learned(&mut self, engine: &Engine, connection: &ConnectionState, candidate: &Candidate) {
        let item = Item::learned(candidate);
        let unlikely = self.outlet == Outlet::Push && candidate.lower_bound < engine.limits.push_threshold;
        self.add(connection, item, unlikely.then_some(Reason::Unlikely));
    }

    fn add_named(&mut self, connection: &ConnectionState, named: &Named) {
        let item = Item::named(Arc::clone(&named.path), named.destination, named.cors);
        self.add(connection, item, None);
    }

    fn add_preload(&mut self, connection: &ConnectionState, preload: &link::Preload) {
        let item = Item::named(preload.path.as_str().into(), preload.destination, preload.cors);
        let push = self.outlet == Outlet::Push;
        let forbidden = if push { preload.nopush } else { preload.push_only };
        self.add(connection, item, forbidden.then_some(Reason::Forbidden));
    }

    /// Decides on an asset. One that was both named and learned is one item: sent if either says so, with the
    /// version that was learned.
    fn add(&mut self, connection: &ConnectionState, mut item: Item, omit: Option<Reason>) {
        if *item.path == *self.page || self.items.len() >= MAX_ITEMS {
            return;
        }
        let known = self.items.iter().position(|known| known.path == item.path);
        if let Some(at) = known
            && let Some(known) = self.items.get(at)
        {
            match (known.validator, known.decision) {
                (0, Decision::Pushed | Decision::Hinted | Decision::Linked) if item.validator != 0 => {}
                (validator, Decision::Omitted(Reason::Unlikely)) if omit.is_none() => item.validator = validator,
                _ => return,
            }
            self.items.remove(at);
        }
        let bans = self.rules.bans(&item.path);
        item.barred = self.held_out || self.saves_data || omit.is_some() || bans.push;
        item.decision = self.decide(connection, &item, bans, omit);
        let at = known.unwrap_or(self.items.len());
        self.items.insert(at, item);
    }

    fn decide(&self, connection: &ConnectionState, item: &Item, bans: Bans, omit: Option<Reason>) -> Decision {
        let budget = &self.budget;
        let count = |decision| self.items.iter().filter(|item| item.decision == decision).count();
        let (decision, most) = match self.outlet {
            Outlet::Push if bans.push => (Decision::Linked, budget.max_hints),
            Outlet::Push => (Decision::Pushed, budget.max_pushes),
            // Chromium 156 asks twice for what a 103 names and it may not use without asking; `Link` on the page
            // it acts on once.
            Outlet::EarlyHints if item.freshness == Freshness::Stale => (Decision::Linked, budget.max_hints),
            Outlet::EarlyHints => (Decision::Hinted, budget.max_hints),
            Outlet::Link => (Decision::Linked, budget.max_hints),
        };
        // What a client holds it does not ask for, held out or not: such a view is no evidence that it is not needed.
        if self.is_held(connection, item) {
            Decision::Held
        } else if self.held_out {
            Decision::HeldOut
        } else if self.saves_data {
            Decision::Omitted(Reason::SaveData)
        } else if let Some(reason) = omit {
            Decision::Omitted(reason)
        } else if bans.hint && decision != Decision::Pushed {
            Decision::Omitted(Reason::Rule)
        } else if count(decision) >= most {
            Decision::Omitted(Reason::Budget)
        } else {
            decision
        }
    }

    fn is_held(&self, connection: &ConnectionState, item: &Item) -> bool {
        connection.holds(self.site, &item.path, item.validator)
            || self.fingerprint.as_ref().is_some_and(|known| known.contains(&item.path, item.validator))
    }
}

fn promised_fields(headers: &HeaderMap) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(PROMISED_FIELDS.len());
    for name in PROMISED_FIELDS {
        if let Some(value) = headers.get(&name) {
            fields.insert(name, value.clone());
        }
    }
    fields
}
