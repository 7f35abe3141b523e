//! One exchange, from the request head to the last byte of its response: what it is to the learner, and for a
//! navigation the page view that it becomes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use headstart_learn::{Asset, ClientId, ConnectionId, Fetch, NetworkId, Referrer, Site, Time};
use headstart_policy::{Diary, Priority};
use http::request::Parts;
use http::{HeaderMap, StatusCode, response};

use crate::admission::Guest;
use crate::caching::Caching;
use crate::engine::Engine;
use crate::event::Event;
use crate::forwarded::ClientAddress;
use crate::hinted::Hinted;
use crate::navigation::{Opened, PageExchange};
use crate::request::{self, Kind, Referer};
use crate::response as answer;
use crate::stopwatch::Stopwatch;

/// Assets that went out on a connection and are not in the client's cookie yet, at most; the oldest is forgotten.
const MAX_DELIVERED: usize = 256;

/// What is known of one connection.
pub(crate) struct ConnectionState {
    pub(crate) id: ConnectionId,
    network: NetworkId,
    remote: IpAddr,
    /// A proxy's, which carries many clients: what went out on it says nothing of what one of them holds.
    shared: bool,
    /// Whether it is idle, for whom it matters.
    pub(crate) guest: Option<Arc<Guest>>,
    /// What it was sent.
    pub(crate) diary: Diary,
    /// The part of it that the cookie does not tell yet.
    pub(crate) delivered: std::collections::VecDeque<(Site, Arc<str>, u64)>,
    /// What the present view's 103 named.
    pub(crate) hinted: Hinted,
    /// Times the present view, if somebody observes.
    pub(crate) stopwatch: Option<Stopwatch>,
}

impl ConnectionState {
    pub(crate) fn new(engine: &Engine, remote: SocketAddr) -> Self {
        let remote = remote.ip();
        ConnectionState {
            id: engine.next_connection(),
            network: engine.identities.network(remote),
            remote,
            shared: engine.proxies.trusts(remote),
            guest: None,
            diary: Diary::new(engine.h2.max_diary_entries),
            delivered: std::collections::VecDeque::new(),
            hinted: Hinted::default(),
            stopwatch: None,
        }
    }

    /// An exchange begins: whose it is. The service is told of a client that is not the peer.
    pub(crate) fn begin(&self, engine: &Engine, head: &mut Parts) -> Who {
        if let Some(guest) = &self.guest {
            guest.begin();
        }
        if !self.shared {
            return Who { address: self.remote, network: self.network, connection: self.id };
        }
        let address = engine.proxies.client(self.remote, &head.headers);
        head.extensions.insert(ClientAddress(address));
        Who { address, network: engine.identities.network(address), connection: engine.next_connection() }
    }

    pub(crate) fn end(&self) {
        if let Some(guest) = &self.guest {
            guest.end();
        }
    }

    /// Views are timed from now on.
    pub(crate) fn observe(&mut self) {
        self.stopwatch = (!self.shared).then(Stopwatch::default);
    }

    /// A navigation begins, and the view before it is over. Returns the number of the new one.
    pub(crate) fn navigate(&mut self, engine: &Engine, page: &Arc<str>) -> u64 {
        let Some(stopwatch) = &mut self.stopwatch else { return 0 };
        let (number, report) = stopwatch.navigate(page, engine.window, Instant::now());
        if let Some(report) = report {
            engine.tell(&Event::Visit(report));
        }
        number
    }

    /// A page's 103 goes out. A proxy's connection carries the views of many.
    pub(crate) fn hint(&mut self, hinted: Hinted) {
        if !self.shared {
            self.hinted = hinted;
        }
    }

    /// The connection is over, and the present view with it.
    pub(crate) fn finish_view(&mut self, engine: &Engine) {
        if let Some(report) = self.stopwatch.as_mut().and_then(Stopwatch::finish) {
            engine.tell(&Event::Visit(report));
        }
    }

    pub(crate) fn holds(&self, site: Site, path: &str, validator: u64) -> bool {
        !self.shared && self.diary.contains(site, path, &validator.to_be_bytes())
    }

    /// The client got this version of an asset, by asking for it or by a push.
    pub(crate) fn has_got(&mut self, site: Site, path: &Arc<str>, validator: u64) {
        if !self.shared && self.diary.insert(site, path, &validator.to_be_bytes()) {
            if self.delivered.len() >= MAX_DELIVERED {
                self.delivered.pop_front();
            }
            self.delivered.push_back((site, Arc::clone(path), validator));
        }
    }
}

/// Whose a request is.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub(crate) address: IpAddr,
    pub(crate) network: NetworkId,
    pub(crate) connection: ConnectionId,
}

/// The ways that are open to a client on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) push: bool,
    /// A 103 can be sent.
    pub(crate) interim: bool,
}

/// The state of one exchange.
pub(crate) enum Exchange {
    Page(Box<PageExchange>),
    Asset(AssetExchange),
    Other,
}

/// A request that may be for an asset.
pub(crate) struct AssetExchange {
    site: Site,
    path: Arc<str>,
    referer: Referer,
    cors: bool,
    client: ClientId,
    connection: ConnectionId,
    /// How urgent it is, if a 103 had it asked for.
    hinted: Option<Priority>,
    /// Once answered: the version that the client gets.
    got: Option<u64>,
    /// The view of its connection that it is timed for, until an answer shows that there is nothing to time.
    view: Option<u64>,
    bytes: u64,
}

impl Exchange {
    /// A request head has arrived.
    pub(crate) fn open(
        engine: &Engine,
        connection: &mut ConnectionState,
        mut ways: Ways,
        head: &mut Parts,
        now: Time,
    ) -> Self {
        let who = connection.begin(engine, head);
        ways.push &= !connection.shared;
        let Some(authority) = request::authority(head) else {
            return Exchange::Other;
        };
        // Only a navigation gives a site its place; an asset of one that has none belongs to no visit.
        let site = || engine.learner.known_site(&authority);
        let known = || site().is_some_and(|site| !engine.learner.plan(now, site, head.uri.path()).is_empty());
        match request::classify(head, known) {
            Kind::Other => Exchange::Other,
            Kind::Asset if request::is_icon(head.uri.path()) => Exchange::Other,
            Kind::Asset => match site() {
                Some(site) => {
                    let path: Arc<str> = path_and_query(head).into();
                    let referer = request::referer(&head.headers, &authority);
                    let hinted = connection.hinted.take(site, &path);
                    let stopwatch = connection.stopwatch.as_mut();
                    let view = stopwatch.and_then(|stopwatch| stopwatch.asked(&path, &referer, Instant::now()));
                    Exchange::Asset(AssetExchange {
                        site,
                        path,
                        referer,
                        cors: request::is_cors(&head.headers),
                        client: engine.identities.client(who.address, &head.headers),
                        connection: who.connection,
                        hinted,
                        got: None,
                        view,
                        bytes: 0,
                    })
                }
                None => Exchange::Other,
            },
            Kind::Navigation(navigation) => match engine.site(&authority) {
                Some(site) => {
                    let opened = Opened { site, authority: authority.into(), navigation, ways, who };
                    Exchange::Page(Box::new(PageExchange::open(engine, connection, opened, head, now)))
                }
                None => Exchange::Other,
            },
        }
    }

    pub(crate) fn page(&mut self) -> Option<&mut PageExchange> {
        match self {
            Exchange::Page(page) => Some(page),
            Exchange::Asset(_) | Exchange::Other => None,
        }
    }

    /// How urgent the response is, if the engine knows better than the client.
    pub(crate) fn priority(&self) -> Option<Priority> {
        match self {
            Exchange::Asset(asset) => asset.hinted,
            Exchange::Page(_) | Exchange::Other => None,
        }
    }

    /// The response's head is known. An asset is learned from it.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, bytes: Option<u64>, now: Time) {
        match self {
            Exchange::Page(page) => page.answered(engine, head, now),
            Exchange::Asset(asset) => asset.answered(engine, head, bytes, now),
            Exchange::Other => {}
        }
    }

    /// The exchange is over.
    pub(crate) fn ended(self, engine: &Engine, connection: &mut ConnectionState, complete: bool, now: Time) {
        connection.end();
        match self {
            Exchange::Page(page) => page.ended(engine, now),
            Exchange::Asset(asset) if complete => {
                if let Some(validator) = asset.got {
                    connection.has_got(asset.site, &asset.path, validator);
                }
                if let (Some(stopwatch), Some(view)) = (&mut connection.stopwatch, asset.view) {
                    stopwatch.sent(view, &asset.path, asset.bytes, Instant::now());
                }
            }
            Exchange::Asset(_) | Exchange::Other => {}
        }
    }
}

impl AssetExchange {
    fn answered(&mut self, engine: &Engine, head: &response::Parts, bytes: Option<u64>, now: Time) {
        if !matches!(head.status, StatusCode::OK | StatusCode::NOT_MODIFIED) {
            self.view = None;
        }
        match head.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => engine.learner.gone(now, self.site, &self.path),
            StatusCode::OK => {
                if let Some(asset) = described(engine, &self.path, self.cors, &head.headers, bytes) {
                    self.got = Some(asset.validator);
                    self.bytes = asset.bytes;
                    engine.learner.describe(now, self.site, &asset);
                    self.learn(engine, asset, now);
                }
            }
            _ => {}
        }
    }

    fn learn(&self, engine: &Engine, asset: Asset<'_>, now: Time) {
        let fetch = |referrer| {
            let fetch = Fetch { site: self.site, asset, referrer, client: self.client, connection: self.connection };
            engine.learner.fetched(now, &fetch)
        };
        match &self.referer {
            Referer::Foreign => {}
            Referer::Absent => {
                fetch(Referrer::Absent);
            }
            Referer::Path(path) => {
                // A stylesheet is named with its query, a page without.
                let page = path.split('?').next().unwrap_or_default();
                let found =
                    fetch(Referrer::Path(path)).is_some() || (page != path && fetch(Referrer::Path(page)).is_some());
                // `Referrer-Policy: strict-origin` sends the origin alone, which looks like the page `/`.
                if !found && path == "/" {
                    fetch(Referrer::Origin);
                }
            }
        }
    }
}

/// An asset as its response describes it; `None` if it may not be learned. What it is fetched as is told by its media
/// type and not by the request: what one client says must not change what all others are told.
pub(crate) fn described<'a>(
    engine: &Engine,
    path: &'a str,
    cors: bool,
    headers: &HeaderMap,
    bytes: Option<u64>,
) -> Option<Asset<'a>> {
    let caching = Caching::of(headers);
    if !answer::is_public(headers, caching) {
        return None;
    }
    let destination = answer::destination(headers)?;
    Some(Asset {
        path,
        destination,
        cors: cors || destination == headstart_learn::Destination::Font,
        bytes: bytes.unwrap_or_else(|| answer::content_length(headers)),
        validator: validator(engine, headers),
        freshness: answer::freshness(headers, caching),
    })
}

/// What tells this version of an asset from others; 0 if nothing does.
pub(crate) fn validator(engine: &Engine, headers: &HeaderMap) -> u64 {
    let parts = answer::validator_parts(headers);
    if parts.is_empty() { 0 } else { engine.identities.validator(&parts) }
}

fn path_and_query(head: &Parts) -> &str {
    head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}
