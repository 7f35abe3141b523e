//! A navigation from its head to its end: the visit that it opens, and what is sent early for it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use headstart_learn::{
    CacheState, Candidate, ClientClass, Draw, Navigation, NetworkId, Page, ReferrerPolicy, Site, Time, Visit,
};
use headstart_policy::{Attempt, Priority, Promise, Refusal};
use http::header::{self, HeaderMap, HeaderName};
use http::request::Parts;
use http::{StatusCode, response};

use crate::assets::Assets;
use crate::channels::Channels;
use crate::client_cache::ClientCache;
use crate::client_hints::ClientHints;
use crate::connection_state::ConnectionState;
use crate::decided::Decided;
use crate::engine::{Engine, day};
use crate::fingerprint::Fingerprint;
use crate::hinted::Hinted;
use crate::holdout::USUAL;
use crate::item::{Push, Tag};
use crate::items::{Conditions, Items};
use crate::link;
use crate::need;
use crate::request;
use crate::requester::Requester;
use crate::response as answer;
use crate::view::{Decision, Outlet, Reason};

/// Request fields that are copied into a promise: those that select a response and do not identify the client.
const PROMISED_FIELDS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// What is known of a navigation when it arrives.
pub(crate) struct Opened {
    pub(crate) site: Site,
    pub(crate) authority: Arc<str>,
    pub(crate) navigation: request::Navigation,
    pub(crate) channels: Channels,
    pub(crate) requester: Requester,
}

/// A navigation from its head to its end.
pub(crate) struct PageExchange {
    pub(crate) site: Site,
    pub(crate) authority: Arc<str>,
    pub(crate) page: Arc<str>,
    /// The number of this view on its connection.
    pub(crate) number: u64,
    pub(crate) visit: Visit,
    /// The network that the visit counts with.
    pub(crate) network: NetworkId,
    /// Whether the visit was confirmed or abandoned.
    visit_settled: bool,
    /// Whether the client fetches what hints name, as browsers do.
    pub(crate) browser: bool,
    pub(crate) items: Items,
    /// `None` if no cookie is read or written for this client.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) corrupt_cookie: bool,
    promised_fields: HeaderMap,
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
        let Opened { site, authority, navigation, channels, requester } = opened;
        let page: Arc<str> = head.uri.path().into();
        let number = connection.navigate(engine, &page);
        let hints = ClientHints::of(&head.headers);
        let fingerprints = engine.fingerprints.as_ref().filter(|_| !hints.no_tracking);
        let read = fingerprints.map(|fingerprints| fingerprints.read(&head.headers, day(now)));
        let corrupt_cookie = read.as_ref().is_some_and(|read| read.corrupt);
        let cookie = fingerprints.and_then(|fingerprints| fingerprints.cookie(&head.headers));
        let network = engine.network_of_cookie(cookie, requester.network);
        let client = engine.identities.client(requester.address, &head.headers);
        let draw = engine.holdout.draw(client, day(now), 1.0 / USUAL as f32);
        let navigation_seen = Navigation {
            site,
            page: Page::from(&*page),
            client,
            network,
            connection: Some(requester.connection),
            class: ClientClass::Other,
            cache: CacheState::Told,
        };
        let visit = engine.learner.navigate(now, &navigation_seen);
        engine.learner.drawn(visit, Draw { chance: draw.probability, held_out: draw.held_out });
        let rules = engine.rules(&authority, &page);
        let conditions = Conditions {
            page: Arc::clone(&page),
            outlet: channels.outlet(navigation.browser && !hints.no_early_hints),
            draw,
            save_data: hints.save_data,
            push_threshold: engine.limits.push_threshold,
            budget: rules.budget.unwrap_or(engine.limits.budget),
            rules,
        };
        let mut exchange = PageExchange {
            site,
            authority,
            page,
            number,
            visit,
            network,
            visit_settled: false,
            browser: navigation.browser,
            items: Items::new(conditions),
            fingerprint: read.map(|read| read.fingerprint),
            corrupt_cookie,
            promised_fields: promised_fields(&head.headers),
            decided: Decided::default(),
        };
        exchange.select(engine, connection, head.extensions.get(), now);
        exchange
    }

    /// Adds what the operator's rules send, what an outer layer names, and what was learned.
    fn select(&mut self, engine: &Engine, connection: &ConnectionState, named: Option<&Assets>, now: Time) {
        let cache = ClientCache { connection, site: self.site, fingerprint: self.fingerprint.as_ref() };
        self.items.add_ruled(&cache);
        for named in named.iter().flat_map(|assets| &assets.list) {
            self.items.add_named(&cache, named);
        }
        let plan = engine.learner.plan(now, self.site, Page::from(&*self.page), ClientClass::Other);
        // By urgency, so that a budget that does not suffice is spent on what the page needs most.
        for urgency in need::URGENCIES {
            let is = |candidate: &&Candidate| need::urgency(candidate.destination, candidate.cors) == urgency;
            for candidate in plan.candidates().iter().filter(is) {
                self.items.add_learned(&cache, candidate);
            }
        }
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

    /// The assets that the 103 names, for a page that was asked for with this priority.
    pub(crate) fn hinted(&self, priority: Priority) -> Hinted {
        Hinted::of(self.site, self.items.iter(), priority)
    }

    /// The requests that the service shall answer beside the page. An item whose path cannot be requested is omitted.
    pub(crate) fn promises(&mut self, engine: &Engine) -> Vec<Promise<Tag>> {
        let mut promises = Vec::new();
        if self.items.conditions().outlet != Outlet::Push {
            return promises;
        }
        for (at, item) in self.items.promisable(engine.limits.verify_held) {
            let Ok(path) = item.path.parse() else {
                item.decision = Decision::Omitted(Reason::Driver(Refusal::Invalid));
                continue;
            };
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
        promises
    }

    /// The head of the response is known: only a page that was shown is learned from.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, now: Time) {
        self.visit_settled = true;
        if answer::is_page(head) {
            engine.learner.confirm(now, self.visit, ReferrerPolicy::Unknown);
            return;
        }
        engine.learner.abandon(self.visit);
        if matches!(head.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            engine.learner.gone(now, self.site, self.network, &self.page);
        }
    }

    /// Adds the assets that the application names in its response.
    pub(crate) fn read_named(&mut self, connection: &ConnectionState, head: &mut response::Parts) {
        let cache = ClientCache { connection, site: self.site, fingerprint: self.fingerprint.as_ref() };
        for named in head.extensions.remove::<Assets>().iter().flat_map(|assets| &assets.list) {
            self.items.add_named(&cache, named);
        }
        for field in head.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()) {
            for preload in link::preloads(field, &self.authority, &self.page) {
                self.items.add_preload(&cache, &preload);
            }
        }
    }

    /// The response of a promise is ready: returns whether it is what was expected and is still needed.
    pub(crate) fn admit(
        &mut self,
        engine: &Engine,
        connection: &ConnectionState,
        push: &Push,
        head: &response::Parts,
        bytes: Option<u64>,
        now: Time,
    ) -> bool {
        let Some(item) = self.items.get(push.item) else {
            return false;
        };
        if matches!(head.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            engine.learner.gone(now, self.site, self.network, &item.path);
        }
        let found = (head.status == StatusCode::OK && answer::may_be_pushed(&head.headers))
            .then(|| answer::asset(&engine.identities, &push.asset, item.cors, &head.headers, bytes).ok())
            .flatten();
        if let Some(asset) = &found {
            engine.learner.describe(self.site, asset);
        }
        let cache = ClientCache { connection, site: self.site, fingerprint: self.fingerprint.as_ref() };
        self.items.admit(&cache, push, found.as_ref())
    }

    /// The driver's answers to the promises.
    pub(crate) fn attempted(&mut self, attempts: &[Attempt<Tag>]) {
        for Attempt { tag, refusal } in attempts {
            if let Some(refusal) = refusal {
                self.items.refused(tag.item, *refusal);
            }
        }
    }

    /// The exchange is over; a page that never answered was no visit.
    pub(crate) fn ended(self, engine: &Engine) {
        if !self.visit_settled {
            engine.learner.abandon(self.visit);
        }
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
