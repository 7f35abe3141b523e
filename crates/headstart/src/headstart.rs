//! The facade's one handle.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use headstart_learn::{ClientClass, Explanation, Learner, Merged, NetworkId, Page, Pages};

use crate::client_hints::is_phone;
#[cfg(feature = "serve")]
use crate::connections::Connections;
use crate::engine::Engine;
use crate::event::Event;
use crate::personal::is_personal;
use crate::rules::Rules;
use crate::saver::Saver;
use crate::state::{self, SnapshotError};
use crate::unlearned::{Diagnosis, UnlearnedCounts};

/// Learns which assets each page pulls in, and sends early what a client lacks. A cheap handle to shared state;
/// one for all listeners of a site.
#[derive(Clone)]
pub struct Headstart {
    pub(crate) engine: Arc<Engine>,
    #[cfg(feature = "serve")]
    pub(crate) connections: Arc<Connections>,
    pub(crate) saver: Option<Arc<Saver>>,
    #[cfg(feature = "fleet")]
    pub(crate) fleet: Option<Arc<crate::membership::Membership>>,
}

impl fmt::Debug for Headstart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headstart").finish_non_exhaustive()
    }
}

impl Headstart {
    /// Replaces the operator's rules; page views that come after follow them.
    pub fn set_rules(&self, rules: Rules) {
        self.engine.set_operator(|operator| operator.rules = rules);
    }

    /// Replaces the authorities that pages are learned for; `None` is any. See [`Builder::hosts`](crate::Builder::hosts).
    pub fn set_hosts<H: AsRef<str>>(&self, hosts: Option<impl IntoIterator<Item = H>>) {
        let hosts = hosts.map(lower_case);
        self.engine.set_operator(|operator| operator.hosts = hosts);
    }

    /// Replaces the authorities whose sites keep their places. See [`Builder::pinned_hosts`](crate::Builder::pinned_hosts).
    pub fn set_pinned_hosts<H: AsRef<str>>(&self, hosts: impl IntoIterator<Item = H>) {
        let hosts = lower_case(hosts);
        self.engine.set_operator(|operator| operator.pinned_hosts = hosts);
    }

    /// The learner, for warm start, sharing and dashboards.
    pub fn learner(&self) -> &Learner {
        &self.engine.learner
    }

    /// Why each asset of a page, given by its path with query, would be sent to a desktop or not. `None` for a site that
    /// is not known.
    pub fn explain(&self, authority: &str, page: &str) -> Option<Explanation> {
        self.explain_for(authority, page, ClientClass::Other)
    }

    /// Why each asset of a page would be sent to clients of a class or not. `None` for a site that is not known. Visits whose
    /// window has passed are learned first.
    pub fn explain_for(&self, authority: &str, page: &str, class: ClientClass) -> Option<Explanation> {
        let site = self.engine.learner.known_site(&authority.to_ascii_lowercase())?;
        self.engine.learner.advance(self.engine.now());
        Some(self.engine.learner.explain(self.engine.now(), site, Page::from(page), class))
    }

    /// The heaviest pages that may be named, at most `max` of them, of all sites. Visits whose window has passed are
    /// learned first.
    pub fn pages(&self, max: usize) -> Pages {
        self.engine.learner.advance(self.engine.now());
        self.engine.close_views(Instant::now());
        self.engine.learner.pages(self.engine.now(), max)
    }

    /// Secret and learned weights as bytes, for [`Builder::snapshot`](crate::Builder::snapshot). Visits that are open are not in it.
    pub fn snapshot(&self) -> Vec<u8> {
        state::write(&self.engine.secret, &self.engine.learner, self.engine.now())
    }

    /// Adds what [`snapshot`](Self::snapshot) of another server wrote to what is known, with weights as of now. Under
    /// another secret only what has passed the network gate is taken; see
    /// [`Learner::merge_snapshot`](headstart_learn::Learner::merge_snapshot). The secret stays this one.
    ///
    /// # Errors
    ///
    /// If the bytes are not an unharmed snapshot; then nothing of it is taken.
    pub fn merge_snapshot(&self, bytes: &[u8]) -> Result<Merged, SnapshotError> {
        let (_, learned) = state::read(bytes)?;
        Ok(self.engine.learner.merge_snapshot(self.engine.now(), learned)?)
    }

    /// The number under which the network of an address votes (an IPv4 /24 or an IPv6 /56), for what is learned from
    /// access logs: one network is one voice, in the logs and live.
    pub fn network(&self, address: IpAddr) -> NetworkId {
        self.engine.identities.network(address)
    }

    /// The page that a request target names, a path with query, as it is learned live: with the mark of a name that
    /// looks as if it was made for one person. For what is learned from access logs.
    pub fn page(target: &str) -> Page<'_> {
        Page { personal: is_personal(target, false), ..Page::from(target) }
    }

    /// Whether the name of an asset, a path with query, looks as if it was made for one person, where its response is not
    /// known. For what is learned from access logs.
    pub fn is_personal(target: &str) -> bool {
        is_personal(target, false)
    }

    /// The class of the clients with this `User-Agent`. For what is learned from access logs.
    pub fn class(user_agent: &str) -> ClientClass {
        if is_phone(user_agent.as_bytes()) { ClientClass::Phone } else { ClientClass::Other }
    }

    /// Why responses and views taught nothing since the start, counted by reason.
    pub fn unlearned(&self) -> UnlearnedCounts {
        self.engine.unlearned.counts()
    }

    /// The reason that kept most of the views, or of the requests for assets, since the last call from being learned; `None` if
    /// nothing did, or there were less than 20. For a line in a log, once an hour.
    pub fn diagnose(&self) -> Option<Diagnosis> {
        self.engine.unlearned.diagnose(self.engine.limits.min_networks)
    }

    /// Learns all open visits now, as before a last snapshot, and reports the views that are timed by client.
    pub fn finish(&self) {
        self.engine.learner.finish(self.engine.now());
        for report in self.engine.open_views.finish() {
            self.engine.tell(&Event::Visit(report));
        }
    }
}

/// Authorities as they are compared.
pub(crate) fn lower_case<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> HashSet<String> {
    hosts.into_iter().map(|host| host.as_ref().to_ascii_lowercase()).collect()
}
