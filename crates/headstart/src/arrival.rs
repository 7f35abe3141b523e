//! A navigation as the learner is told of it.

use headstart_learn::{CacheState, ClientClass, ClientId, ConnectionId, Navigation, NetworkId, Site, Time, Visit};

use crate::engine::Engine;
use crate::page_target::PageTarget;

/// A navigation that has arrived. It is kept until its site is registered, which the first page of a site is when it was
/// answered.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) target: PageTarget,
    pub(crate) client: ClientId,
    /// The network that the visit counts with.
    pub(crate) network: NetworkId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) class: ClientClass,
    pub(crate) cache: CacheState,
    pub(crate) at: Time,
}

impl Arrival {
    /// Opens the visit.
    pub(crate) fn open(&self, engine: &Engine, site: Site) -> Visit {
        let navigation = Navigation {
            site,
            page: self.target.page(),
            client: self.client,
            network: self.network,
            connection: self.connection,
            class: self.class,
            cache: self.cache,
        };
        engine.learner.navigate(self.at, &navigation)
    }
}
