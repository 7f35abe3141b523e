//! A request that may be for an asset, from its head to the last byte of its response.

use std::sync::Arc;

use headstart_learn::{ClientId, ConnectionId, Fetch, Fetched, NetworkId, Referrer, Refused, Site, Time, Visit};
use headstart_policy::Priority;
use http::request::Parts;
use http::{StatusCode, response};

use crate::client_hints::ClientHints;
use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::hinted::CausedBy;
use crate::request::{self, Referer};
use crate::requester::Requester;
use crate::response as answer;
use crate::transfer::Transfer;
use crate::unlearned::Unlearned;

/// A request that may be for an asset; its response decides.
pub(crate) struct AssetExchange {
    site: Site,
    path: Arc<str>,
    referer: Referer,
    cors: bool,
    client: ClientId,
    network: NetworkId,
    connection: Option<ConnectionId>,
    asked: Time,
    /// The key of its answers.
    answer: u64,
    /// The priority of the response, if a 103 made the client ask for it.
    priority: Option<Priority>,
    /// The client has asked for the asset before on the same view, whose 103 named it.
    again: Option<Box<Again>>,
    /// The urgency that the client gave the request; `None` if it gives none, or if a hint may have caused the request.
    urgency: Option<u8>,
    /// Once answered: the visit that it was added to.
    visit: Option<Visit>,
    /// Once answered: the validator of the version that the client gets.
    validator: Option<u64>,
    /// The view that it is timed for; `None` once an answer shows that there is nothing to time.
    view: Option<u64>,
    bytes: u64,
}

/// An asset that a 103 named and that is asked for once more.
struct Again {
    authority: Box<str>,
    page: Arc<str>,
    asset: Arc<str>,
}

impl AssetExchange {
    pub(crate) fn open(
        engine: &Engine,
        connection: &mut ConnectionState,
        requester: &Requester,
        site: Site,
        authority: &str,
        head: &Parts,
        now: Time,
    ) -> Self {
        let path: Arc<str> = request::path_and_query(head).into();
        let referer = request::referer(&head.headers, authority);
        let cause = connection.hinted.ask(site, &path);
        // On a connection that carries many clients nobody knows what was hinted to this one.
        let by_itself = matches!(cause, CausedBy::Itself | CausedBy::Again { .. })
            && !connection.is_shared()
            && !request::is_early_hint(&head.headers);
        let (priority, again) = match cause {
            CausedBy::Itself => (None, None),
            CausedBy::Hint { priority } => (priority, None),
            // With its cache off a browser fetches twice whatever the hint says.
            CausedBy::Again { page, asset } => {
                let again = Again { authority: authority.into(), page, asset };
                (None, Some(Box::new(again)).filter(|_| !ClientHints::of(&head.headers).reload))
            }
        };
        let client = engine.identities.client(requester.address, &head.headers);
        let view = connection.asked(engine, client, &path, &referer);
        AssetExchange {
            site,
            answer: engine.pages.answer_key(authority, &path),
            path,
            referer,
            cors: request::is_cors(&head.headers),
            client,
            network: requester.network,
            connection: requester.connection,
            asked: now,
            priority,
            again,
            urgency: if by_itself { request::urgency(&head.headers, connection.gives_urgencies) } else { None },
            visit: None,
            validator: None,
            view,
            bytes: 0,
        }
    }

    /// The priority of the response, if a 103 made the client ask for it.
    pub(crate) fn priority(&self) -> Option<Priority> {
        self.priority
    }

    /// The response's head is known: the asset is learned from it.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, bytes: Option<u64>, now: Time) {
        if let Some(again) = self.again.take()
            && let Some(page) = engine.pages.get(&again.authority, &again.page)
        {
            let gate = engine.limits.min_networks as usize;
            page.state().unserved.refetched(&again.asset, self.network, gate);
        }
        if !matches!(head.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
            self.view = None;
        }
        match head.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                engine.pages.missing(self.answer);
                engine.learner.gone(now, self.site, self.network, &self.path);
            }
            StatusCode::OK => {
                engine.unlearned.count_asset();
                match answer::asset(&engine.identities, &self.path, self.cors, &head.headers, bytes) {
                    Ok(asset) => {
                        self.validator = Some(asset.validator);
                        self.bytes = asset.bytes;
                        engine.pages.answered(self.answer, asset.freshness);
                        engine.learner.describe(self.site, &asset);
                        self.visit = self.learn(engine, Fetched::Full(asset), now);
                    }
                    Err(reason) => self.refuse(engine, reason, now),
                }
            }
            // The page needs the asset, and the client held it.
            StatusCode::NOT_MODIFIED => {
                engine.unlearned.count_asset();
                self.validator = answer::confirmed_validator(&engine.identities, &head.headers);
                self.visit = self.learn(engine, Fetched::NotModified(&self.path), now);
            }
            _ => {}
        }
    }

    /// The response was sent, or its transfer ended otherwise.
    pub(crate) fn ended(self, engine: &Engine, connection: &mut ConnectionState, transfer: Transfer, now: Time) {
        if let Some(visit) = self.visit {
            engine.learner.finished(now, visit);
        }
        if transfer == Transfer::Incomplete || self.validator.is_none() {
            connection.hinted.failed(self.site, &self.path);
        }
        if transfer == Transfer::Incomplete {
            return;
        }
        if let Some(validator) = self.validator {
            connection.has_got(self.site, &self.path, validator);
        }
        if let Some(view) = self.view {
            connection.sent(engine, self.client, view, &self.path, self.bytes);
        }
    }

    /// The response teaches nothing.
    fn refuse(&self, engine: &Engine, reason: Unlearned, now: Time) {
        engine.unlearned.count(reason);
        let Some(referrer) = self.referrer() else { return };
        let refused = Refused {
            site: self.site,
            referrer,
            client: self.client,
            connection: self.connection,
            asked: self.asked,
            reason: reason as u8,
        };
        engine.learner.refused(now, &refused);
    }

    /// The `Referer` as the learner is told of it; `None` if it names another site.
    fn referrer(&self) -> Option<Referrer<'_>> {
        match &self.referer {
            Referer::Foreign => None,
            Referer::Absent => Some(Referrer::Absent),
            Referer::Path(path) => Some(Referrer::Path(path)),
        }
    }

    fn learn(&self, engine: &Engine, fetched: Fetched<'_>, now: Time) -> Option<Visit> {
        let Some(referrer) = self.referrer() else {
            engine.unlearned.count(Unlearned::Referer);
            return None;
        };
        let fetch = Fetch {
            site: self.site,
            fetched,
            referrer,
            client: self.client,
            connection: self.connection,
            asked: self.asked,
            urgency: self.urgency,
        };
        engine.learner.fetched(now, &fetch)
    }
}
