//! One exchange, from the request head to the last byte of its response.

use headstart_learn::{ClientClass, Page, Time};
use headstart_policy::Priority;
use http::request::Parts;
use http::response;

use crate::asset_exchange::AssetExchange;
use crate::beacon::BEACON_PREFIX;
use crate::channels::Channels;
use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::page_exchange::{Opened, PageExchange};
use crate::request::{self, Kind};
use crate::transfer::Transfer;
use crate::unlearned::Unlearned;

/// The role of a request for the learner, with the state that this role has.
pub(crate) enum Exchange {
    Page(Box<PageExchange>),
    Asset(AssetExchange),
    Other,
}

impl Exchange {
    /// A request head has arrived.
    pub(crate) fn open(
        engine: &Engine,
        connection: &mut ConnectionState,
        channels: Channels,
        head: &mut Parts,
        now: Time,
    ) -> Self {
        let requester = connection.begin(engine, head);
        // Requests of the beacon are neither a page of the site nor one of its assets.
        let Some(authority) = request::authority(head).filter(|_| !head.uri.path().starts_with(BEACON_PREFIX)) else {
            return Exchange::Other;
        };
        // One network is enough where every client is local, and the client of a proxy is not: it teaches nothing.
        let forwarded =
            engine.limits.min_networks == 1 && !connection.is_shared() && request::is_forwarded(&head.headers);
        if forwarded {
            engine.unlearned.count(Unlearned::Forwarded);
        }
        // Only a page registers a site; an asset of an unregistered site belongs to no visit.
        let site = || engine.learner.known_site(&authority);
        let page = Page::from(request::path_and_query(head));
        let known = || site().is_some_and(|site| !engine.learner.plan(now, site, page, ClientClass::Other).is_empty());
        match request::classify(head, known) {
            Kind::Asset | Kind::Submission if forwarded => Exchange::Other,
            Kind::Asset if !request::is_icon(head.uri.path()) => site().map_or(Exchange::Other, |site| {
                Exchange::Asset(AssetExchange::open(engine, connection, &requester, site, &authority, head, now))
            }),
            Kind::Asset | Kind::Other => Exchange::Other,
            Kind::Submission => {
                if let Some(site) = site() {
                    let client = engine.identities.client(requester.address, &head.headers);
                    engine.learner.posted(now, site, client, page);
                }
                Exchange::Other
            }
            Kind::Navigation(navigation) => {
                if !engine.learns_for(&authority) {
                    return Exchange::Other;
                }
                let mut channels = connection.usable(channels);
                // A promise costs its body, and the answer may be that the client has the page, with all that it needs.
                // A proxy's connection carries many clients, and a push may be refused by it or reach another one.
                channels.push &= !navigation.conditional && !forwarded;
                connection.gives_urgencies =
                    !forwarded && !connection.is_shared() && request::has_priority(&head.headers);
                let opened =
                    Opened { authority: authority.into(), navigation, channels, requester, teaches: !forwarded };
                let page = PageExchange::open(engine, connection, opened, head, now);
                if !forwarded {
                    connection.hint(page.hinted(Priority::from_headers(&head.headers)));
                }
                Exchange::Page(Box::new(page))
            }
        }
    }

    pub(crate) fn page(&mut self) -> Option<&mut PageExchange> {
        match self {
            Exchange::Page(page) => Some(page),
            Exchange::Asset(_) | Exchange::Other => None,
        }
    }

    /// The priority of the response, if the engine knows it better than the client.
    pub(crate) fn priority(&self) -> Option<Priority> {
        match self {
            Exchange::Asset(asset) => asset.priority(),
            Exchange::Page(_) | Exchange::Other => None,
        }
    }

    /// The response's head is known.
    pub(crate) fn answered(&mut self, engine: &Engine, head: &response::Parts, bytes: Option<u64>, now: Time) {
        match self {
            Exchange::Page(page) => page.answered(engine, head, now),
            Exchange::Asset(asset) => asset.answered(engine, head, bytes, now),
            Exchange::Other => {}
        }
    }

    /// The exchange is over.
    pub(crate) fn ended(self, engine: &Engine, connection: &mut ConnectionState, transfer: Transfer, now: Time) {
        connection.end();
        match self {
            Exchange::Page(page) => page.ended(engine, now),
            Exchange::Asset(asset) => asset.ended(engine, connection, transfer, now),
            Exchange::Other => {}
        }
    }
}
