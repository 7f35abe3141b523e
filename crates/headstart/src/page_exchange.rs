//! A navigation from its head to its end: the visit that it opens, and what is sent early for it.

use std::sync::Arc;

use headstart_learn::{CacheState, Candidate, ClientClass, Draw, Freshness, Knowledge, NetworkId, Site, Time, Visit};
use headstart_policy::{OverTls, Priority};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{StatusCode, response};

use crate::arrival::Arrival;
use crate::assets::Assets;
use crate::channels::Channels;
use crate::client_hints::ClientHints;
use crate::client_says::ClientSays;
use crate::conditions::Conditions;
use crate::connection_state::ConnectionState;
use crate::decided::Decided;
use crate::engine::{Engine, day};
use crate::fingerprint::Fingerprint;
use crate::hint_support::acts_on_preloads;
use crate::hinted::Hinted;
use crate::items::Items;
use crate::link;
use crate::page_policy::PagePolicy;
use crate::page_target::PageTarget;
#[cfg(feature = "markup")]
use crate::pages::Page;
use crate::pages::is_stranger;
use crate::personal::is_personal;
#[cfg(feature = "markup")]
use crate::reading::Ticket;
use crate::request;
use crate::requester::Requester;
use crate::response as answer;
use crate::view::{Decision, Outlet};

/// The chance of a hold-out from which the learner wants to know more of a page.
#[cfg(feature = "markup")]
const UNSETTLED: f32 = 0.25;

/// Facts of a navigation that are known when it arrives.
pub(crate) struct Opened {
    pub(crate) authority: Arc<str>,
    pub(crate) navigation: request::Navigation,
    pub(crate) channels: Channels,
    pub(crate) requester: Requester,
    /// Whether the view is learned from.
    pub(crate) teaches: bool,
}

/// A navigation from its head to its end.
#[expect(clippy::struct_excessive_bools, reason = "facts of a navigation, independent of each other")]
pub(crate) struct PageExchange {
    pub(crate) authority: Arc<str>,
    pub(crate) arrival: Arrival,
    /// The page's name for observers; empty if there is none.
    pub(crate) name: Arc<str>,
    /// `None` until the first page of the site was shown.
    pub(crate) site: Option<Site>,
    /// `None` as long as the site is not registered.
    pub(crate) visit: Option<Visit>,
    state: VisitState,
    /// The number of this view where it is timed.
    pub(crate) number: u64,
    /// Whether the view was drawn to get nothing. In an A/A comparison it gets help all the same.
    pub(crate) draw: Draw,
    /// Whether the client fetches what hints name, as browsers do.
    pub(crate) browser: bool,
    pub(crate) items: Items,
    /// `None` if no cookie is read or written for this client.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) corrupt_cookie: bool,
    /// How much is known of the page, if nothing was found to send and somebody observes.
    pub(crate) knowledge: Knowledge,
    /// It came over TLS.
    secure: bool,
    /// The request carries neither credentials nor a cookie of the application.
    pub(crate) stranger: bool,
    /// The view opens a visit and may register its site.
    teaches: bool,
    /// The page's evidence is thin, old or contradicts its plan.
    #[cfg(feature = "markup")]
    unsettled: bool,
    /// The memory of the page, if it was shown before and its response is to be compared with what was read.
    #[cfg(feature = "markup")]
    known: Option<Arc<Page>>,
    /// The answer may be 304: the client has the page and will show it.
    conditional: bool,
    /// The client may be asked what the view was like.
    pub(crate) measured: bool,
    /// The network of the client's address, whatever cookie it has.
    pub(crate) address_network: NetworkId,
    pub(crate) said: ClientSays,
    /// The final response repeats what the 103 names.
    pub(crate) repeats_links: bool,
    pub(crate) promised_fields: HeaderMap,
    pub(crate) decided: Decided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VisitState {
    Open,
    Confirmed,
    Abandoned,
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
        let Opened { authority, navigation, channels, requester, teaches } = opened;
        let target = PageTarget::of(head);
        let hints = ClientHints::of(&head.headers);
        let shared_edge = engine.limits.shared_edge;
        let fingerprints = engine.fingerprints.as_ref().filter(|_| !hints.no_tracking && !shared_edge);
        let secure = head.uri.scheme_str() == Some("https") || head.extensions.get::<OverTls>().is_some();
        let said = ClientSays::of(engine, hints, (secure, &authority), &head.headers);
        let nothing = HeaderMap::new();
        let said_by = if said.is_ignored() { &nothing } else { &head.headers };
        let read = fingerprints.map(|fingerprints| fingerprints.read(said_by, day(now)));
        let cookie = fingerprints.and_then(|fingerprints| fingerprints.cookie(&head.headers));
        let told = read.as_ref().is_some_and(|read| read.told) || said.digests.is_some();
        let arrival = Arrival {
            client: engine.identities.client(requester.address, &head.headers),
            network: engine.network_of_cookie(cookie, requester.network),
            connection: requester.connection,
            class: if hints.mobile { ClientClass::Phone } else { ClientClass::Other },
            cache: if told { CacheState::Told } else { CacheState::Unknown },
            at: now,
            target,
        };
        let rules = engine.rules(&authority, &arrival.target.path);
        let known = engine.pages.get(&authority, &arrival.target.target);
        let stranger = is_stranger(&head.headers);
        let (policy, statements, guarded, unserved) = known.as_ref().map_or_else(Default::default, |known| {
            let state = known.state();
            let said = state.statements.as_ref().map_or_else(PagePolicy::default, |statements| statements.policy);
            (state.policy.and(said), state.statements.clone(), state.is_guarded(), state.unserved.paths())
        });
        let conditions = Conditions {
            target: arrival.target.clone(),
            // A page that is shown to those only whom its application knows: others are sent elsewhere.
            outlet: channels.outlet(navigation.browser && !hints.no_early_hints && !(guarded && stranger)),
            draw: Draw::default(),
            save_data: hints.save_data,
            push_threshold: engine.limits.push_threshold,
            budget: rules.budget.unwrap_or(engine.limits.budget),
            rules,
            policy,
            unserved,
            statements,
            markup: engine.limits.markup,
        };
        let site = engine.learner.known_site(&authority);
        if !teaches {
            // Opening a visit would do so.
            engine.learner.advance(now);
        }
        let mut exchange = PageExchange {
            number: if teaches { connection.navigate(engine, arrival.client, &arrival.target.path) } else { 0 },
            visit: site.filter(|_| teaches).map(|site| arrival.open(engine, site)),
            authority,
            arrival,
            name: Arc::default(),
            site,
            state: VisitState::Open,
            draw: Draw::default(),
            browser: navigation.browser,
            items: Items::new(conditions),
            corrupt_cookie: read.as_ref().is_some_and(|read| read.corrupt),
            fingerprint: read.map(|read| read.fingerprint),
            knowledge: Knowledge::Unknown,
            secure,
            stranger,
            teaches,
            #[cfg(feature = "markup")]
            unsettled: false,
            #[cfg(feature = "markup")]
            known,
            conditional: navigation.conditional,
            address_network: requester.network,
            measured: navigation.browser && teaches && !hints.no_tracking && !shared_edge,
            said,
            repeats_links: shared_edge || !acts_on_preloads(&head.headers),
            promised_fields: request::promised_fields(&head.headers),
            decided: Decided::default(),
        };
        exchange.select(engine, connection, head.extensions.get(), now);
        exchange
    }

    /// Marks the request, so that its page may be copied and read, unless it is known that it need not be.
    #[cfg(feature = "markup")]
    pub(crate) fn offer_copy(&mut self, engine: &Engine, head: &mut Parts) {
        if !engine.limits.markup.read || !self.teaches {
            self.known = None;
            return;
        }
        let network = self.arrival.network;
        let is_asked_about = |page: &Arc<Page>| page.state().looks.is_asked_about(network, self.unsettled);
        if self.known.as_ref().is_none_or(is_asked_about) {
            head.extensions.insert(Ticket {
                desk: Arc::clone(&engine.desk),
                authority: Arc::clone(&self.authority),
                path: Arc::clone(&self.arrival.target.target),
                page: self.known.take(),
                secure: self.secure,
                network,
                stranger: self.stranger,
                unsettled: self.unsettled,
                gate: engine.limits.min_networks as usize,
            });
        }
    }

    /// Draws whether the view is held out, and adds what the operator's rules send, what an outer layer names, and what
    /// was learned.
    fn select(&mut self, engine: &Engine, connection: &ConnectionState, named: Option<&Assets>, now: Time) {
        let Arrival { client, class, .. } = self.arrival;
        let page = self.arrival.target.page();
        let cache = self.said.cache(connection, self.site, self.fingerprint.as_ref());
        let plan = self.site.map(|site| engine.learner.plan(now, site, page, class)).unwrap_or_default();
        #[cfg(feature = "markup")]
        {
            self.unsettled = plan.holdout_chance() >= UNSETTLED;
        }
        // A cache keeps what one view was given for all that follow.
        let rate = self
            .site
            .filter(|_| !engine.limits.shared_edge)
            .map_or(0.0, |site| engine.learner.holdout_chance(site, &plan));
        // A cache in front keeps what one view was given for all that follow.
        let shared = engine.limits.shared_edge;
        let draw = if shared { Draw::default() } else { engine.holdout.draw(client, day(now), rate) };
        self.draw = draw;
        self.items.draw(engine.limits.treatment(draw));
        if draw.held_out && engine.limits.aa {
            // It is helped, and so no evidence of what the page needs by itself; it would be too much of that of the rest.
            self.visit.take().into_iter().for_each(|visit| engine.learner.abandon(visit));
        }
        if let Some(visit) = self.visit {
            engine.learner.drawn(visit, draw);
            if !cache.is_empty() {
                // Also what is not planned: a client does not ask for what it holds, which says nothing of its need.
                engine.learner.hold(visit, &plan, |known| cache.contains(&known.path, known.validator));
            }
        }
        let authority = Arc::clone(&self.authority);
        let answered = |path: &str| engine.pages.freshness(&authority, path);
        self.items.add_ruled(&cache, &answered);
        for named in named.iter().flat_map(|assets| &assets.list) {
            self.items.add_named(&cache, named, &answered);
        }
        let known = |path: &str| plan.known().iter().any(|known| known.has_evidence && *known.path == *path);
        if self.teaches {
            self.items.add_needed(&cache, plan.candidates(), Some(&known), &answered);
        } else {
            // The plan may come from one client: its names are shown to others only if they point to nobody.
            let nobodys =
                |candidate: &&Candidate| !is_personal(&candidate.path, candidate.freshness == Freshness::Immutable);
            let candidates: Vec<Candidate> = plan.candidates().iter().filter(nobodys).cloned().collect();
            self.items.add_needed(&cache, &candidates, None, &answered);
        }
        if engine.is_observed() {
            self.name = match self.site {
                Some(site) => engine.learner.page_name(site, page).into(),
                None => Arc::clone(&self.arrival.target.path),
            };
            if let (0, Some(site)) = (plan.candidates().len(), self.site) {
                self.knowledge = engine.learner.explain(now, site, page, class).state;
            }
        }
    }

    /// The fields of the 103, if this client gets one.
    pub(crate) fn early_hints(&self) -> Option<HeaderMap> {
        let mut fields = HeaderMap::new();
        for item in self.items.iter().filter(|item| item.decision == Decision::Hinted) {
            if let Some(value) = item.link(None) {
                fields.append(header::LINK, value);
            }
        }
        if self.items.conditions().outlet == Outlet::EarlyHints {
            for value in self.preconnects() {
                fields.append(header::LINK, value);
            }
        }
        (!fields.is_empty()).then_some(fields)
    }

    /// The fields that make the client connect to the other origins of the page.
    pub(crate) fn preconnects(&self) -> impl Iterator<Item = HeaderValue> {
        let conditions = self.items.conditions();
        let wanted = conditions.markup.preconnect && !conditions.sends_nothing();
        let statements = conditions.statements.as_deref().filter(|_| wanted);
        let origins = statements.into_iter().flat_map(|statements| &statements.preconnects);
        origins.filter_map(|(origin, anonymous)| link::preconnect(origin, *anonymous))
    }

    /// The assets that the client is told of, for a page that was asked for with this priority.
    pub(crate) fn hinted(&self, priority: Priority) -> Hinted {
        self.site
            .map(|site| Hinted::of(site, &self.arrival.target.target, self.items.iter(), priority))
            .unwrap_or_default()
    }

    /// The head of the response is known: only a page that was shown is learned from. The first page of a site that was
    /// shown registers the site: a `Host` that a client has made up is mostly answered otherwise.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, now: Time) {
        #[cfg(feature = "markup")]
        if let Some(page) = self.known.take() {
            page.state().looks.compare(head.headers.get(header::ETAG));
        }
        let revalidated = self.conditional && head.status == StatusCode::NOT_MODIFIED;
        if revalidated && let Some(visit) = self.visit {
            // The client shows what it holds, and asks for what that needs. `Link` on a 304 would change what it holds.
            engine.learner.confirm(now, visit, answer::referrer_policy(&head.headers));
            self.state = VisitState::Confirmed;
            self.tell_learner(engine);
            return;
        }
        if !answer::is_page(head) {
            self.abandon(engine);
            let site = self.site.filter(|_| self.teaches);
            if let (Some(site), StatusCode::NOT_FOUND | StatusCode::GONE) = (site, head.status) {
                engine.learner.gone(now, site, self.arrival.network, &self.arrival.target.path);
            }
            return;
        }
        if !self.teaches {
            self.state = VisitState::Confirmed;
            return;
        }
        let shown = engine.shown(now, &self.authority, self.arrival.network);
        if self.site.is_none() {
            self.site = shown;
            self.visit = self.site.map(|site| self.arrival.open(engine, site));
            if let Some(visit) = self.visit {
                engine.learner.drawn(visit, self.draw);
            }
        }
        if let Some(visit) = self.visit {
            engine.learner.confirm(now, visit, answer::referrer_policy(&head.headers));
        }
        self.state = VisitState::Confirmed;
    }

    /// Adds the assets that the application names in its response.
    pub(crate) fn read_named(&mut self, connection: &ConnectionState, head: &mut response::Parts) {
        let cache = self.said.cache(connection, self.site, self.fingerprint.as_ref());
        for named in head.extensions.remove::<Assets>().iter().flat_map(|assets| &assets.list) {
            self.items.add_named(&cache, named, &|_| None);
        }
        for field in head.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()) {
            for preload in link::preloads(field, &self.authority, &self.arrival.target.path) {
                self.items.add_preload(&cache, &preload);
            }
        }
    }

    /// The exchange is over; a page that never answered was no visit.
    pub(crate) fn ended(mut self, engine: &Engine, now: Time) {
        match (self.state, self.visit) {
            (VisitState::Open, _) => self.abandon(engine),
            (VisitState::Confirmed, Some(visit)) => engine.learner.finished(now, visit),
            (VisitState::Confirmed | VisitState::Abandoned, _) => {}
        }
    }

    fn abandon(&mut self, engine: &Engine) {
        self.state = VisitState::Abandoned;
        if let Some(visit) = self.visit {
            engine.learner.abandon(visit);
        }
    }
}
