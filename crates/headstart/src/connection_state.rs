//! State of one connection between its exchanges.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use headstart_learn::{ClientId, ConnectionId, NetworkId, Site};
use headstart_policy::{ClientAddress, Diary};
use http::request::Parts;

use crate::activity::Activity;
use crate::channels::Channels;
use crate::engine::Engine;
use crate::event::Event;
use crate::hinted::Hinted;
use crate::request::Referer;
use crate::requester::Requester;
use crate::stopwatch::{Shown, Stopwatch};

/// Most assets that were sent on a connection and are in no cookie yet; the oldest is forgotten.
const MAX_DELIVERED: usize = 256;

/// State of one connection.
pub(crate) struct ConnectionState {
    pub(crate) id: ConnectionId,
    network: NetworkId,
    remote: IpAddr,
    /// A trusted proxy's connection carries many clients: what was sent on it says nothing of what one client holds.
    shared: bool,
    /// The server's record of whether the connection is idle; `None` where nobody asks.
    pub(crate) activity: Option<Arc<Activity>>,
    /// The assets that were sent on it.
    diary: Diary,
    /// Whether anything is in the diary.
    sent_any: bool,
    /// The assets of the diary that no cookie contains yet.
    delivered: VecDeque<(Site, Arc<str>, u64)>,
    /// The assets that the present view's 103 named.
    pub(crate) hinted: Hinted,
    /// The present page was asked for with a `priority` field: where other requests have none, they mean the default.
    pub(crate) gives_urgencies: bool,
    /// Times the present view, if there is an observer and the connection is one client's only one.
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
            activity: None,
            diary: Diary::new(engine.limits.max_diary_entries),
            sent_any: false,
            delivered: VecDeque::new(),
            hinted: Hinted::default(),
            gives_urgencies: false,
            stopwatch: None,
        }
    }

    /// An exchange begins: returns its requester. The service is told of a client that is not the peer.
    pub(crate) fn begin(&self, engine: &Engine, head: &mut Parts) -> Requester {
        if let Some(activity) = &self.activity {
            activity.begin();
        }
        if !self.shared {
            return Requester { address: self.remote, network: self.network, connection: Some(self.id) };
        }
        let address = engine.proxies.client(self.remote, &head.headers);
        head.extensions.insert(ClientAddress(address));
        Requester { address, network: engine.identities.network(address), connection: None }
    }

    /// Whether it is a trusted proxy's, which carries many clients.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    /// The channels that can be used for one client: nothing is pushed on a connection that carries many.
    pub(crate) fn usable(&self, channels: Channels) -> Channels {
        Channels { push: channels.push && !self.shared, ..channels }
    }

    pub(crate) fn end(&self) {
        if let Some(activity) = &self.activity {
            activity.end();
        }
    }

    /// It is the only connection of its client, unless it is a trusted proxy's: views are timed by it from now on.
    pub(crate) fn observe(&mut self) {
        self.stopwatch = (!self.shared).then(Stopwatch::default);
    }

    /// A navigation begins, and the view before it is over. Returns the number of the new one; 0 if it is not timed.
    pub(crate) fn navigate(&mut self, engine: &Engine, client: ClientId, page: &Arc<str>) -> u64 {
        if !engine.is_observed() {
            return 0;
        }
        let now = Instant::now();
        let (number, reports) = match &mut self.stopwatch {
            Some(stopwatch) => {
                let (number, report) = stopwatch.navigate(page, engine.window, now);
                (number, report.into_iter().collect())
            }
            None => engine.open_views.navigate(client, page, engine.window, now),
        };
        for report in reports {
            engine.tell(&Event::Visit(report));
        }
        number
    }

    /// The head of a page goes out, which was the view of this number.
    pub(crate) fn shown(&mut self, engine: &Engine, client: ClientId, number: u64, shown: Shown) {
        self.time(engine, client, |stopwatch| stopwatch.shown(number, shown, Instant::now()));
    }

    /// A client asks for an asset. Returns the number of the view that it is timed for.
    pub(crate) fn asked(
        &mut self,
        engine: &Engine,
        client: ClientId,
        path: &Arc<str>,
        referer: &Referer,
    ) -> Option<u64> {
        // Among the requests of many, one without a Referer may belong to any view.
        if self.stopwatch.is_none() && !matches!(referer, Referer::Path(_)) {
            return None;
        }
        self.time(engine, client, |stopwatch| stopwatch.asked(path, referer, Instant::now())).flatten()
    }

    /// An asset was sent whole.
    pub(crate) fn sent(&mut self, engine: &Engine, client: ClientId, number: u64, path: &str, bytes: u64) {
        self.time(engine, client, |stopwatch| stopwatch.sent(number, path, bytes, Instant::now()));
    }

    /// Tells what times the present view of a client, if something does.
    fn time<T>(&mut self, engine: &Engine, client: ClientId, tell: impl FnOnce(&mut Stopwatch) -> T) -> Option<T> {
        match &mut self.stopwatch {
            Some(stopwatch) => Some(tell(stopwatch)),
            None if engine.is_observed() => engine.open_views.with(client, tell),
            None => None,
        }
    }

    /// A page's 103 goes out. It is not noted on a connection that carries the views of many clients.
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

    /// Whether anything was sent on it that a client may hold.
    pub(crate) fn holds_any(&self) -> bool {
        self.sent_any
    }

    pub(crate) fn holds(&self, site: Site, path: &str, validator: u64) -> bool {
        !self.shared && self.diary.contains(self.diary.entry(site, path, &validator.to_be_bytes()))
    }

    /// The assets of a site that were sent since its last cookie, with their validators. Clears the list for this site: a
    /// connection may serve several sites, each with a cookie of its own.
    pub(crate) fn take_delivered(&mut self, site: Site, mut take: impl FnMut(&str, u64)) {
        self.delivered.retain(|(of, path, validator)| {
            if *of == site {
                take(path, *validator);
            }
            *of != site
        });
    }

    /// The client got this version of an asset, because it asked for it or by a push.
    pub(crate) fn has_got(&mut self, site: Site, path: &Arc<str>, validator: u64) {
        self.sent_any |= !self.shared;
        if !self.shared && self.diary.insert(self.diary.entry(site, path, &validator.to_be_bytes())) {
            if self.delivered.len() >= MAX_DELIVERED {
                self.delivered.pop_front();
            }
            self.delivered.push_back((site, Arc::clone(path), validator));
        }
    }
}
