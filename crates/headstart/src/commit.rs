//! The last step before a page's head goes out: `Link` and `Set-Cookie` are written, the learner and the observers are
//! told what was decided.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use headstart_learn::{Delivery, Destination};
use headstart_policy::Attempt;
use http::header::{self, HeaderName, HeaderValue};
use http::response;

use crate::arrival::Arrival;
use crate::beacon::{self, View};
use crate::connection_state::ConnectionState;
use crate::engine::{Counters, Engine, day};
use crate::event::Event;
use crate::item::{Item, Tag};
use crate::link;
use crate::page_exchange::PageExchange;
use crate::page_policy::{self, Admission, PagePolicy};
use crate::response as answer;
use crate::stopwatch::Shown;
use crate::view::{AssetView, Decision, Outlet, PageView};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

impl PageExchange {
    /// The head goes out next: writes `Link` and `Set-Cookie`, tells the learner, and reports the view.
    pub(crate) fn commit(
        &mut self,
        engine: &Engine,
        connection: &mut ConnectionState,
        head: &mut response::Parts,
        attempts: &[Attempt<Tag>],
    ) {
        if !answer::is_page(head) {
            return;
        }
        self.attempted(attempts);
        let policy = PagePolicy::of(&head.headers, &self.authority);
        let target = &self.arrival.target.target;
        engine.pages.get_or_add(&self.authority, target).state().shown(head, policy, self.stranger);
        self.write_links(head, policy);
        self.write_preconnects(head);
        self.tell_learner(engine);
        // Before the cookie, which makes a response private that said nothing.
        self.write_token(engine, head);
        self.write_cookie(engine, connection, head);
        self.report(engine);
        if engine.is_observed() {
            let planned = self.items.iter().map(|item| (Arc::clone(&item.path), item.decision));
            let shown = Shown {
                authority: Arc::clone(&self.authority),
                page: Arc::clone(&self.name),
                outlet: self.items.conditions().outlet,
                class: self.arrival.class,
                client: engine.holdout.client_of_day(self.arrival.client, day(self.arrival.at)),
                draw: self.draw,
                aa: engine.limits.aa,
                head: Duration::ZERO,
                planned: planned.collect(),
            };
            connection.shown(engine, self.arrival.client, self.number, shown);
        }
    }

    /// `Link` fields for what the client shall fetch itself. Those of a 103 stand in the final response too, for
    /// the 103 may be lost on the way (RFC 8297, section 2), unless the client is known to have acted on it. What the
    /// page's policy admits by nonce carries that of this response; what it does not admit is left out. What the
    /// application wrote itself is left alone, but for what it meant for us only (`x-http2-push-only`).
    fn write_links(&self, head: &mut response::Parts, policy: PagePolicy) {
        let nonce = page_policy::nonce(&head.headers).map(str::to_owned);
        let fields: Vec<HeaderValue> = head.headers.get_all(header::LINK).iter().cloned().collect();
        head.headers.remove(header::LINK);
        let mut written = HashSet::new();
        for field in fields {
            let seen = field.to_str().ok().and_then(link::for_client);
            let field =
                seen.map_or(Some(field), |seen| HeaderValue::try_from(seen).ok().filter(|seen| !seen.is_empty()));
            let Some(field) = field else { continue };
            if let Ok(text) = field.to_str() {
                written.extend(
                    link::preloads(text, &self.authority, &self.arrival.target.path).map(|preload| preload.path),
                );
            }
            head.headers.append(header::LINK, field);
        }
        for item in self.items.iter() {
            let wanted = match item.decision {
                Decision::Hinted => self.repeats_links,
                Decision::Linked => true,
                decision => self.items.falls_to_client(decision),
            };
            let nonce = match policy.admission(item.destination) {
                Admission::ByNonce if nonce.is_none() => continue,
                _ => nonce.as_deref().filter(|_| wants_nonce(item.destination)),
            };
            if wanted
                && item.is_admitted(policy)
                && !written.contains(&*item.path)
                && let Some(value) = item.link(nonce)
            {
                head.headers.append(header::LINK, value);
            }
        }
    }

    /// Connections are named again where the 103 may not have been seen, or there was none.
    fn write_preconnects(&self, head: &mut response::Parts) {
        if self.repeats_links || self.items.conditions().outlet != Outlet::EarlyHints {
            for value in self.preconnects() {
                head.headers.append(header::LINK, value);
            }
        }
    }

    pub(crate) fn tell_learner(&self, engine: &Engine) {
        let Some(visit) = self.visit else { return };
        for item in self.items.iter() {
            let how = match item.decision {
                Decision::Held => Delivery::Held,
                Decision::Pushed => Delivery::Pushed,
                // An asset that the page or its application names itself is asked for in any case.
                _ if item.own_words => continue,
                decision if makes_fetch(decision, self.browser) => Delivery::Hinted,
                _ => continue,
            };
            engine.learner.delivered(visit, &item.path, how);
        }
    }

    /// Writes down what the client gets with this page and what it got before on this connection. Only on a
    /// document that no shared cache keeps: one that says so, or one that says nothing, which then says so.
    fn write_cookie(&mut self, engine: &Engine, connection: &mut ConnectionState, head: &mut response::Parts) {
        let Some(site) = self.site else { return };
        for item in self.items.iter() {
            if item.decision == Decision::Pushed {
                connection.has_got(site, &item.path, item.validator);
            }
        }
        let (Some(fingerprints), Some(fingerprint)) = (&engine.fingerprints, &mut self.fingerprint) else {
            return;
        };
        let private = answer::is_private(&head.headers);
        if private == Some(false) {
            return;
        }
        connection.take_delivered(site, |path, validator| fingerprint.insert(path, validator));
        for item in self.items.iter() {
            // An asset that the budget left no push for is as likely to be needed, so that the client will ask for it by
            // itself: a push with the next page would be wasted more often than not.
            let will_ask = makes_fetch(item.decision, self.browser) || self.items.falls_to_client(item.decision);
            if will_ask && item.validator != 0 {
                fingerprint.insert(&item.path, item.validator);
            }
        }
        if let Some(field) = fingerprints.set_cookie(fingerprint) {
            engine.set_network_of_cookie(&field, self.arrival.network);
            head.headers.append(header::SET_COOKIE, field);
            if private.is_none() {
                head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
            }
        }
    }

    /// Writes the token with which a browser may say what the view was like: of a page that has a plan, and on a response that no
    /// cache gives to others unasked.
    fn write_token(&self, engine: &Engine, head: &mut response::Parts) {
        let Some(beacons) = engine.beacons.as_ref().filter(|_| self.measured && self.items.iter().len() > 0) else {
            return;
        };
        if !answer::is_seen_once(&head.headers) {
            return;
        }
        let hinted = || {
            let items = self.items.iter();
            items.filter(|item| matches!(item.decision, Decision::Hinted | Decision::Linked)).map(|item| &*item.path)
        };
        let Arrival { class, at, ref target, .. } = self.arrival;
        let view = View {
            outlet: self.items.conditions().outlet,
            draw: self.draw,
            aa: engine.limits.aa,
            returning: self.items.iter().any(|item| item.decision == Decision::Held),
            class,
            page: engine.identities.page(&self.authority, &target.target),
            hinted: u8::try_from(hinted().count()).unwrap_or(u8::MAX),
            time: u32::try_from(at.as_millis() / 1000).unwrap_or(u32::MAX),
            number: 0,
        };
        let token = beacons.issue(&self.authority, self.address_network, view);
        if let Some(field) = beacon::server_timing(&token, hinted()) {
            head.headers.append(SERVER_TIMING, field);
        }
    }

    fn report(&self, engine: &Engine) {
        let counters = &engine.counters;
        Counters::add(&counters.views, 1);
        engine.unlearned.count_view(self.arrival.network);
        let conditions = self.items.conditions();
        Counters::add(&counters.held_out, u64::from(conditions.draw.held_out));
        Counters::add(&counters.corrupt_cookies, u64::from(self.corrupt_cookie));
        for item in self.items.iter() {
            match item.decision {
                Decision::Pushed => Counters::add(&counters.pushed, 1),
                Decision::Hinted => Counters::add(&counters.hinted, 1),
                Decision::Linked => Counters::add(&counters.linked, 1),
                Decision::Held => Counters::add(&counters.held, 1),
                Decision::HeldOut | Decision::Omitted(_) => {}
            }
        }
        self.decided.set(conditions.draw.held_out, self.items.iter().map(|item| item.decision));
        if engine.is_observed() {
            let asset =
                |item: &Item| AssetView { path: Arc::clone(&item.path), bytes: item.bytes, decision: item.decision };
            engine.tell(&Event::View(PageView {
                authority: Arc::clone(&self.authority),
                page: Arc::clone(&self.name),
                outlet: conditions.outlet,
                held_out: self.draw.held_out,
                aa: engine.limits.aa,
                holdout_probability: self.draw.chance,
                corrupt_cookie: self.corrupt_cookie,
                knowledge: self.knowledge,
                assets: self.items.iter().map(asset).collect(),
            }));
        }
    }
}

/// Whether elements of this kind carry a nonce.
fn wants_nonce(destination: Destination) -> bool {
    matches!(destination, Destination::Script | Destination::Style)
}

/// Whether the decision alone makes the client fetch the asset. Only a browser is known to fetch what `Link` names,
/// whether or not the page needs it.
fn makes_fetch(decision: Decision, browser: bool) -> bool {
    match decision {
        Decision::Hinted => true,
        Decision::Linked => browser,
        _ => false,
    }
}
