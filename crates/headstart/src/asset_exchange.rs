//! A request that may be for an asset, from its head to the last byte of its response.

use std::sync::Arc;
use std::time::Instant;

use headstart_learn::{Asset, ClientId, ConnectionId, Fetch, Fetched, NetworkId, Referrer, Site, Time};
use headstart_policy::Priority;
use http::request::Parts;
use http::{StatusCode, response};

use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::request::{self, Referer};
use crate::requester::Requester;
use crate::response as answer;
use crate::unlearned::Unlearned;

/// A request that may be for an asset; its response decides.
pub(crate) struct AssetExchange {
    site: Site,
    path: Arc<str>,
    referer: Referer,
    cors: bool,
    client: ClientId,
    network: NetworkId,
    connection: ConnectionId,
    asked: Time,
    /// Its priority, if a 103 made the client ask for it.
    hinted: Option<Priority>,
    /// Once answered: the validator of the version that the client gets.
    validator: Option<u64>,
    /// The view of its connection that it is timed for; `None` once an answer shows that there is nothing to time.
    view: Option<u64>,
    bytes: u64,
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
        let hinted = connection.hinted.take(site, &path);
        let stopwatch = connection.stopwatch.as_mut();
        let view = stopwatch.and_then(|stopwatch| stopwatch.asked(&path, &referer, Instant::now()));
        AssetExchange {
            site,
            path,
            referer,
            cors: request::is_cors(&head.headers),
            client: engine.identities.client(requester.address, &head.headers),
            network: requester.network,
            connection: requester.connection,
            asked: now,
            hinted,
            validator: None,
            view,
            bytes: 0,
        }
    }

    /// The priority of the response, if a 103 made the client ask for it.
    pub(crate) fn priority(&self) -> Option<Priority> {
        self.hinted
    }

    /// The response's head is known: the asset is learned from it.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, bytes: Option<u64>, now: Time) {
        if !matches!(head.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
            self.view = None;
        }
        match head.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                engine.learner.gone(now, self.site, self.network, &self.path);
            }
            StatusCode::OK => {
                engine.unlearned.count_asset();
                match answer::asset(&engine.identities, &self.path, self.cors, &head.headers, bytes) {
                    Ok(asset) => {
                        self.validator = Some(asset.validator);
                        self.bytes = asset.bytes;
                        engine.learner.describe(self.site, &asset);
                        self.learn(engine, asset, now);
                    }
                    Err(reason) => engine.unlearned.count(reason),
                }
            }
            _ => {}
        }
    }

    /// The response went out whole.
    pub(crate) fn completed(self, connection: &mut ConnectionState) {
        if let Some(validator) = self.validator {
            connection.has_got(self.site, &self.path, validator);
        }
        if let (Some(stopwatch), Some(view)) = (&mut connection.stopwatch, self.view) {
            stopwatch.sent(view, &self.path, self.bytes, Instant::now());
        }
    }

    fn learn(&self, engine: &Engine, asset: Asset<'_>, now: Time) {
        let referrer = match &self.referer {
            Referer::Foreign => {
                engine.unlearned.count(Unlearned::Referer);
                return;
            }
            Referer::Absent => Referrer::Absent,
            Referer::Path(path) => Referrer::Path(path),
        };
        let fetch = Fetch {
            site: self.site,
            fetched: Fetched::Full(asset),
            referrer,
            client: self.client,
            connection: Some(self.connection),
            asked: self.asked,
            urgency: None,
        };
        engine.learner.fetched(now, &fetch);
    }
}
