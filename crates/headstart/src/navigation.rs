//! A page view: what is planned for it, what the client holds of that, and what is done about the rest.

use std::sync::Arc;

use headstart_h2::{Attempt, Promise};
use headstart_learn::{Candidate, Delivery, Destination, Freshness, Navigation, Site, Time, Visit};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{StatusCode, response};

use crate::assets::{Assets, Named};
use crate::engine::{Counters, Engine, VerifyHeld, day};
use crate::exchange::{ConnectionState, Ways, described};
use crate::fingerprint::Fingerprint;
use crate::link;
use crate::request;
use crate::response as answer;
use crate::view::{AssetView, Decision, Outlet, PageView, Reason};

/// Request fields that are copied into a promise: those that select a response and say nothing of who asks.
const PROMISED_FIELDS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// What is known of a navigation when it arrives.
pub(crate) struct Opened {
    pub(crate) site: Site,
    pub(crate) authority: Arc<str>,
    pub(crate) navigation: request::Navigation,
    pub(crate) ways: Ways,
}

/// A navigation from its head to its end.
#[expect(clippy::struct_excessive_bools, reason = "facts about a request, independent of each other")]
pub(crate) struct PageExchange {
    site: Site,
    authority: Arc<str>,
    page: String,
    visit: Visit,
    /// Whether the visit was confirmed or abandoned.
    visit_settled: bool,
    /// Whether the client acts on hints, as browsers do.
    browser: bool,
    outlet: Outlet,
    held_out: bool,
    saves_data: bool,
    items: Vec<Item>,
    fingerprint: Option<Fingerprint>,
    corrupt_cookie: bool,
    promised_fields: HeaderMap,
    pushed_bytes: u64,
}

/// The driver's name for one push: its place among the items.
pub(crate) type Tag = usize;

/// One asset of the view.
#[derive(Clone)]
struct Item {
    path: Arc<str>,
    destination: Destination,
    cors: bool,
    bytes: u64,
    validator: u64,
    freshness: Freshness,
    decision: Decision,
}

impl PageExchange {
    /// Opens the visit and decides on what was learned.
    pub(crate) fn open(engine: &Engine, connection: &ConnectionState, opened: Opened, head: &Parts, now: Time) -> Self {
        let Opened { site, authority, navigation, ways } = opened;
        let page = head.uri.path().to_owned();
        let held_out = engine.holdout.draw();
        let visit = engine.learner.navigate(
            now,
            &Navigation {
                site,
                page: &page,
                client: engine.identities.client(connection.remote, &head.headers),
                network: connection.network,
                connection: connection.id,
                holdout: held_out,
            },
        );
        let outlet = if ways.push {
            Outlet::Push
        } else if ways.interim && navigation.browser && !request::refuses_hints(&head.headers) {
            Outlet::EarlyHints
        } else {
            Outlet::Link
        };
        let fingerprints = engine.fingerprints.as_ref().filter(|_| !request::refuses_tracking(&head.headers));
        let read = fingerprints.map(|fingerprints| fingerprints.read(&head.headers, day(now)));
        let corrupt_cookie = read.as_ref().is_some_and(|read| read.corrupt);
        let mut exchange = PageExchange {
            site,
            authority,
            page,
            visit,
            visit_settled: false,
            browser: navigation.browser,
            outlet,
            held_out,
            saves_data: request::saves_data(&head.headers),
            items: Vec::new(),
            fingerprint: read.map(|read| read.fingerprint),
            corrupt_cookie,
            promised_fields: promised_fields(&head.headers),
            pushed_bytes: 0,
        };
        if let Some(assets) = head.extensions.get::<Assets>() {
            for named in &assets.list {
                exchange.add_named(engine, connection, named);
            }
        }
        let plan = engine.learner.plan(now, site, &exchange.page);
        for candidate in plan.candidates() {
            exchange.add_learned(engine, connection, candidate);
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

    /// What to ask the service for, from item `first` on: the pushes, and what the client's cookie claims to hold
    /// but may have changed since.
    pub(crate) fn promises(&self, engine: &Engine, first: usize) -> Vec<Promise<Tag>> {
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
            Decision::Held => verify(item),
            _ => false,
        };
        let items = self.items.iter().enumerate().skip(first).filter(|(_, item)| wanted(item));
        let promises = items.filter_map(|(tag, item)| {
            let path = item.path.parse().ok()?;
            Some(Promise { path, headers: self.promised_fields.clone(), priority: None, tag })
        });
        promises.collect()
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

    /// Reads what the application names in its response. Returns the number of items before.
    pub(crate) fn read_named(
        &mut self,
        engine: &Engine,
        connection: &ConnectionState,
        head: &mut response::Parts,
    ) -> usize {
        let first = self.items.len();
        if let Some(assets) = head.extensions.remove::<Assets>() {
            for named in &assets.list {
                self.add_named(engine, connection, named);
            }
        }
        let authority = Arc::clone(&self.authority);
        let page = self.page.clone();
        for field in head.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()) {
            for preload in link::preloads(field, &authority, &page) {
                self.add_preload(engine, connection, &preload);
            }
        }
        first
    }

    /// A response that would be pushed is ready: is it what was expected, and is it still needed?
    pub(crate) fn admit(
        &mut self,
        engine: &Engine,
        connection: &ConnectionState,
        tag: Tag,
        head: &response::Parts,
        bytes: Option<u64>,
        now: Time,
    ) -> bool {
        let Some(mut item) = self.items.get(tag).cloned() else {
            return false;
        };
        if matches!(head.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            engine.learner.gone(now, self.site, &item.path);
        }
        let found = (head.status == StatusCode::OK)
            .then(|| described(engine, &item.path, Some(item.destination), item.cors, &head.headers, bytes))
            .flatten();
        item.decision = match found {
            None => Decision::Omitted(Reason::NotPushable),
            Some(asset) => {
                engine.learner.describe(now, self.site, &asset);
                (item.bytes, item.validator) = (asset.bytes, asset.validator);
                if self.is_held(connection, &item) {
                    Decision::Held
                } else if self.pushed_bytes.saturating_add(item.bytes) > engine.limits.max_push_bytes {
                    Decision::Omitted(Reason::Budget)
                } else {
                    self.pushed_bytes += item.bytes;
                    Decision::Pushed
                }
            }
        };
        let admitted = item.decision == Decision::Pushed;
        if let Some(place) = self.items.get_mut(tag) {
            *place = item;
        }
        admitted
    }

    /// The head goes out next: writes `Link` and `Set-Cookie`, tells the learner, and reports the view.
    pub(crate) fn commit(
        &mut self,
        engine: &Engine,
        connection: &mut ConnectionState,
        head: &mut response::Parts,
        attempts: &[Attempt<Tag>],
        now: Time,
    ) {
        if !answer::is_page(head) {
            return;
        }
        for Attempt { tag, refusal } in attempts {
            // What the policy itself dropped has its decision.
            if let (Some(item), Some(refusal)) = (self.items.get_mut(*tag), refusal)
                && *refusal != headstart_h2::Refusal::NotAdmitted
                && item.decision == Decision::Pushed
            {
                item.decision = Decision::Omitted(Reason::Driver(*refusal));
            }
        }
        self.write_links(head);
        self.tell_learner(engine, now);
        self.write_cookie(engine, connection, head);
        self.report(engine);
    }

    /// The exchange is over; a page that never answered was no visit.
    pub(crate) fn ended(self, engine: &Engine, now: Time) {
        if !self.visit_settled {
            engine.learner.abandon(now, self.visit);
        }
    }

    fn add_learned(&mut self, engine: &Engine, connection: &ConnectionState, candidate: &Candidate) {
        let item = Item {
            path: Arc::clone(&candidate.path),
            destination: candidate.destination,
            cors: candidate.cors,
            bytes: candidate.bytes,
            validator: candidate.validator,
            freshness: candidate.freshness,
            decision: Decision::Held,
        };
        let unlikely = self.outlet == Outlet::Push && candidate.lower_bound < engine.limits.push_threshold;
        self.add(engine, connection, item, unlikely.then_some(Reason::Unlikely));
    }

    fn add_named(&mut self, engine: &Engine, connection: &ConnectionState, named: &Named) {
        let item = Item::named(Arc::clone(&named.path), named.destination, named.cors);
        self.add(engine, connection, item, None);
    }

    fn add_preload(&mut self, engine: &Engine, connection: &ConnectionState, preload: &link::Preload) {
        let item = Item::named(preload.path.as_str().into(), preload.destination, preload.cors);
        let forbidden = preload.nopush && self.outlet == Outlet::Push;
        self.add(engine, connection, item, forbidden.then_some(Reason::Forbidden));
    }

    /// Decides on an asset. One that was both named and learned is one item: sent if either says so, with the
    /// version that was learned.
    fn add(&mut self, engine: &Engine, connection: &ConnectionState, mut item: Item, omit: Option<Reason>) {
        if *item.path == *self.page {
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
        item.decision = self.decide(engine, connection, &item, omit);
        let at = known.unwrap_or(self.items.len());
        self.items.insert(at, item);
    }

    fn decide(&self, engine: &Engine, connection: &ConnectionState, item: &Item, omit: Option<Reason>) -> Decision {
        let limits = &engine.limits;
        let count = |decision| self.items.iter().filter(|item| item.decision == decision).count();
        let (decision, most) = match self.outlet {
            Outlet::Push => (Decision::Pushed, limits.max_pushes),
            // Chromium 156 asks twice for what a 103 names and it may not use without asking; `Link` on the page
            // it acts on once.
            Outlet::EarlyHints if item.freshness == Freshness::Stale => (Decision::Linked, limits.max_hints),
            Outlet::EarlyHints => (Decision::Hinted, limits.max_hints),
            Outlet::Link => (Decision::Linked, limits.max_hints),
        };
        if self.held_out {
            Decision::HeldOut
        } else if self.is_held(connection, item) {
            Decision::Held
        } else if self.saves_data {
            Decision::Omitted(Reason::SaveData)
        } else if let Some(reason) = omit {
            Decision::Omitted(reason)
        } else if count(decision) >= most {
            Decision::Omitted(Reason::Budget)
        } else {
            decision
        }
    }

    fn is_held(&self, connection: &ConnectionState, item: &Item) -> bool {
        connection.holds(&item.path, item.validator)
            || self.fingerprint.as_ref().is_some_and(|known| known.contains(&item.path, item.validator))
    }

    /// `Link` fields for what the client shall fetch itself. Those of a 103 stand in the final response too, for
    /// the 103 may be lost on the way (RFC 8297, section 2). What the application wrote itself is left alone, but
    /// for what it meant for us only (`x-http2-push-only`).
    fn write_links(&self, head: &mut response::Parts) {
        let kept: Vec<HeaderValue> = head.headers.get_all(header::LINK).iter().cloned().collect();
        let written = |path: &str| {
            let reference = format!("<{path}>");
            kept.iter().any(|value| value.to_str().is_ok_and(|value| value.contains(&reference)))
        };
        for item in &self.items {
            let wanted = match item.decision {
                Decision::Hinted | Decision::Linked => true,
                // The client takes pushes and gets no more of them: it can still fetch these early by itself.
                Decision::Omitted(Reason::Budget | Reason::Driver(_)) => self.outlet == Outlet::Push,
                _ => false,
            };
            if wanted
                && !written(&item.path)
                && let Some(value) = item.link()
            {
                head.headers.append(header::LINK, value);
            }
        }
    }

    fn tell_learner(&self, engine: &Engine, now: Time) {
        for item in &self.items {
            let how = match item.decision {
                Decision::Held => Delivery::Held,
                Decision::Pushed => Delivery::Pushed,
                Decision::Hinted => Delivery::Hinted,
                // Only a browser is known to fetch what `Link` names, whether or not the page needs it.
                Decision::Linked if self.browser => Delivery::Hinted,
                _ => continue,
            };
            engine.learner.delivered(now, self.visit, &item.path, how);
        }
    }

    /// Writes down what the client gets with this page and what it got before on this connection. Only on a
    /// document that no shared cache keeps: one that says so, or one that says nothing, which then says so.
    fn write_cookie(&mut self, engine: &Engine, connection: &mut ConnectionState, head: &mut response::Parts) {
        for item in &self.items {
            if item.decision == Decision::Pushed {
                connection.has_got(&item.path, item.validator);
            }
        }
        let (Some(fingerprints), Some(fingerprint)) = (&engine.fingerprints, &mut self.fingerprint) else {
            return;
        };
        let private = answer::is_private(&head.headers);
        if private == Some(false) {
            return;
        }
        for (path, validator) in connection.delivered.drain(..) {
            fingerprint.insert(&path, validator);
        }
        for item in &self.items {
            let fetched = match item.decision {
                Decision::Hinted => true,
                Decision::Linked => self.browser,
                _ => false,
            };
            if fetched && item.validator != 0 {
                fingerprint.insert(&item.path, item.validator);
            }
        }
        if let Some(field) = fingerprints.set_cookie(fingerprint) {
            head.headers.append(header::SET_COOKIE, field);
            if private.is_none() {
                head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
            }
        }
    }

    fn report(&self, engine: &Engine) {
        let counters = &engine.counters;
        Counters::add(&counters.views, 1);
        Counters::add(&counters.held_out, u64::from(self.held_out));
        Counters::add(&counters.corrupt_cookies, u64::from(self.corrupt_cookie));
        for item in &self.items {
            match item.decision {
                Decision::Pushed => Counters::add(&counters.pushed, 1),
                Decision::Hinted => Counters::add(&counters.hinted, 1),
                Decision::Linked => Counters::add(&counters.linked, 1),
                Decision::Held => Counters::add(&counters.held, 1),
                Decision::HeldOut | Decision::Omitted(_) => {}
            }
        }
        if let Some(observer) = &engine.observer {
            let asset =
                |item: &Item| AssetView { path: Arc::clone(&item.path), bytes: item.bytes, decision: item.decision };
            observer(&PageView {
                authority: Arc::clone(&self.authority),
                page: self.page.clone(),
                outlet: self.outlet,
                held_out: self.held_out,
                corrupt_cookie: self.corrupt_cookie,
                assets: self.items.iter().map(asset).collect(),
            });
        }
    }
}

impl Item {
    fn named(path: Arc<str>, destination: Destination, cors: bool) -> Self {
        let (bytes, validator, freshness) = (0, 0, Freshness::Stale);
        Item { path, destination, cors, bytes, validator, freshness, decision: Decision::Held }
    }

    fn link(&self) -> Option<HeaderValue> {
        link::preload(&self.path, self.destination, self.cors)
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
