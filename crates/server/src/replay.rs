//! Page views, told to a learner in the order in which they happened.

use headstart::Headstart;
use headstart::learn::{
    Asset, CacheState, ClientId, ConnectionId, Fetch, Fetched, Freshness, Learner, Navigation, NetworkId, Referrer,
    ReferrerPolicy, Site, Time, Visit,
};

use crate::assembly::{Loaded, View};
use crate::names::Names;
use crate::target::{destination, without_query};
use crate::views::{Gone, Views};

/// One thing that happens in a replay.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// The view begins.
    Navigation(&'a View),
    /// One of its assets is fetched.
    Fetch(&'a View, &'a Loaded),
    /// A client is told that something is not there.
    Gone(&'a Gone),
}

/// Calls `each` for everything that happens, in order of time.
pub(crate) fn replay<'a>(views: &'a Views, mut each: impl FnMut(u64, usize, Event<'a>)) {
    let mut events: Vec<(u64, u8, usize, Event<'a>)> =
        views.gone.iter().map(|gone| (gone.time, 1, 0, Event::Gone(gone))).collect();
    for (number, view) in views.list.iter().enumerate() {
        events.push((view.time, 0, number, Event::Navigation(view)));
        events.extend(view.assets.iter().map(|asset| (asset.time, 1, number, Event::Fetch(view, asset))));
    }
    events.sort_by_key(|(time, kind, ..)| (*time, *kind));
    for (time, _, number, event) in events {
        each(time, number, event);
    }
}

/// Tells a learner of views.
pub(crate) struct Teacher<'a> {
    pub(crate) learner: &'a Learner,
    pub(crate) site: Site,
    pub(crate) names: &'a Names,
}

impl Teacher<'_> {
    /// The view with this number begins.
    pub(crate) fn navigate(&self, number: usize, view: &View) -> Visit {
        let now = Time::from_millis(view.time);
        let visit = self.learner.navigate(
            now,
            &Navigation {
                site: self.site,
                page: Headstart::page(self.names.get(view.page)),
                client: ClientId::new(view.client),
                network: NetworkId::new(view.network),
                connection: Some(ConnectionId::new(number as u64)),
                class: view.class,
                cache: CacheState::Told,
            },
        );
        self.learner.confirm(now, visit, ReferrerPolicy::Unknown);
        visit
    }

    /// A client was told that something is not there.
    pub(crate) fn gone(&self, gone: &Gone) {
        let (now, network) = (Time::from_millis(gone.time), NetworkId::new(gone.network));
        self.learner.gone(now, self.site, network, self.names.get(gone.name));
    }

    /// An asset of the view with this number was fetched.
    pub(crate) fn fetch(&self, number: usize, view: &View, asset: &Loaded) {
        let path = self.names.get(asset.name);
        let fetch = Fetch {
            site: self.site,
            fetched: if asset.not_modified {
                Fetched::NotModified(path)
            } else {
                Fetched::Full(Asset {
                    path,
                    destination: destination(without_query(path)).unwrap_or_default(),
                    cors: false,
                    bytes: asset.bytes,
                    validator: 0,
                    freshness: Freshness::Stale,
                    personal: Headstart::is_personal(path),
                })
            },
            asked: Time::from_millis(asset.time),
            urgency: None,
            // The view is known, so the connection says it.
            referrer: Referrer::Absent,
            client: ClientId::new(view.client),
            connection: Some(ConnectionId::new(number as u64)),
        };
        self.learner.fetched(Time::from_millis(asset.time), &fetch);
    }
}
