//! The facade's one handle.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use headstart_learn::{Explanation, Learner, Merged, NetworkId, Pages};
use rustls::ServerConfig;
use tokio::net::TcpListener;

use crate::builder::{Builder, lower_case};
use crate::connection_policy::ConnectionPolicy;
use crate::engine::{Engine, now};
use crate::layer::HeadstartLayer;
use crate::rules::Rules;
use crate::serve::Serve;
use crate::state::{self, SnapshotError};

/// Learns which assets each page pulls in, and sends early what a client lacks. A cheap handle to shared state;
/// one for all listeners of a site.
#[derive(Clone)]
pub struct Headstart {
    pub(crate) engine: Arc<Engine>,
}

impl Headstart {
    /// Settings, all with defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Serves a tower service, such as an axum `Router`, to all who connect. With a TLS configuration HTTP/2 and
    /// HTTP/1.1 are offered by ALPN; without one, HTTP/2 is for clients with prior knowledge.
    ///
    /// The returned value runs when awaited; see [`Serve::with_graceful_shutdown`].
    pub fn serve<S>(&self, listener: TcpListener, tls: impl Into<Option<Arc<ServerConfig>>>, service: S) -> Serve<S> {
        Serve::new(self.clone(), listener, tls.into(), service)
    }

    /// The policy for one HTTP/2 connection, to be given to
    /// [`h2::serve_connection`](headstart_h2::serve_connection) by servers that accept connections themselves.
    pub fn policy(&self, remote: SocketAddr) -> ConnectionPolicy {
        ConnectionPolicy::new(Arc::clone(&self.engine), remote)
    }

    /// A tower layer for servers that are not ours: it learns, sets the cookie and `Link: rel=preload`. It needs
    /// [`Peer`](headstart_policy::Peer) in the extensions of requests.
    pub fn layer(&self) -> HeadstartLayer {
        HeadstartLayer { engine: Arc::clone(&self.engine), connection: None }
    }

    /// Replaces the operator's rules; page views that come after follow them.
    pub fn set_rules(&self, rules: Rules) {
        self.engine.set_operator(|operator| operator.rules = rules);
    }

    /// Replaces the authorities that pages are learned for; `None` is any. See [`Builder::hosts`].
    pub fn set_hosts<H: AsRef<str>>(&self, hosts: Option<impl IntoIterator<Item = H>>) {
        let hosts = hosts.map(lower_case);
        self.engine.set_operator(|operator| operator.hosts = hosts);
    }

    /// What was learned, for warm start, sharing and dashboards.
    pub fn learner(&self) -> &Learner {
        &self.engine.learner
    }

    /// Why each asset of a page would be sent or not. `None` for a site that is not known.
    pub fn explain(&self, authority: &str, page: &str) -> Option<Explanation> {
        let site = self.engine.learner.known_site(&authority.to_ascii_lowercase())?;
        Some(self.engine.learner.explain(now(), site, page))
    }

    /// The heaviest pages that may be named, at most `max` of them, of all sites. Visits whose window has passed are
    /// learned first.
    pub fn pages(&self, max: usize) -> Pages {
        self.engine.learner.advance(now());
        self.engine.learner.pages(now(), max)
    }

    /// Secret and learned weights as bytes, for [`Builder::snapshot`]. Visits that are open are not in it.
    pub fn snapshot(&self) -> Vec<u8> {
        state::write(&self.engine.secret, &self.engine.learner, now())
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
        Ok(self.engine.learner.merge_snapshot(now(), learned)?)
    }

    /// The number under which the network of an address votes (an IPv4 /24 or an IPv6 /56), for what is learned from
    /// access logs: one network is one voice, in the logs and live.
    pub fn network(&self, address: IpAddr) -> NetworkId {
        self.engine.identities.network(address)
    }

    /// Learns all open visits now, as before a last snapshot.
    pub fn finish(&self) {
        self.engine.learner.finish(now());
    }

    /// What has been done since the start.
    pub fn stats(&self) -> Stats {
        let counters = &self.engine.counters;
        Stats {
            views: counters.views.load(Ordering::Relaxed),
            held_out: counters.held_out.load(Ordering::Relaxed),
            pushed: counters.pushed.load(Ordering::Relaxed),
            pushes_finished: counters.pushes_finished.load(Ordering::Relaxed),
            pushes_cancelled: counters.pushes_cancelled.load(Ordering::Relaxed),
            pushes_unfinished: counters.pushes_unfinished.load(Ordering::Relaxed),
            hinted: counters.hinted.load(Ordering::Relaxed),
            linked: counters.linked.load(Ordering::Relaxed),
            held: counters.held.load(Ordering::Relaxed),
            corrupt_cookies: counters.corrupt_cookies.load(Ordering::Relaxed),
            // In this order, so that no more have ended than began.
            connections_ended: counters.connections_ended.load(Ordering::Relaxed),
            connections: counters.connections.load(Ordering::Relaxed),
            handshakes_failed: counters.handshakes_failed.load(Ordering::Relaxed),
            connections_forbidden: counters.connections_forbidden.load(Ordering::Relaxed),
            connections_timed_out: counters.connections_timed_out.load(Ordering::Relaxed),
            connections_refused: self.engine.admission.refused.load(Ordering::Relaxed),
            connections_released: self.engine.admission.released.load(Ordering::Relaxed),
        }
    }
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Pages shown.
    pub views: u64,
    /// Of these, views that got nothing, as evidence.
    pub held_out: u64,
    /// Promises made.
    pub pushed: u64,
    /// Promises whose response was written whole.
    pub pushes_finished: u64,
    /// Promises that clients cancelled; some of these were finished before.
    pub pushes_cancelled: u64,
    /// Promises that failed or were cut off with their connection.
    pub pushes_unfinished: u64,
    /// Assets named in a 103.
    pub hinted: u64,
    /// Assets named in `Link` only.
    pub linked: u64,
    /// Assets not sent because the client holds them.
    pub held: u64,
    /// Cookies that could not be read.
    pub corrupt_cookies: u64,
    /// Connections that [`Headstart::serve`] accepted.
    pub connections: u64,
    /// Of these, connections that are over.
    pub connections_ended: u64,
    /// Of these, connections that failed before their first request: no TLS handshake, or silence.
    pub handshakes_failed: u64,
    /// Of these, connections over HTTP/2 that were ended for what their client sent: something forbidden, or too much.
    pub connections_forbidden: u64,
    /// Of these, connections over HTTP/2 that were ended as their client took too long.
    pub connections_timed_out: u64,
    /// Of these, connections that were closed at once, as their address had its share.
    pub connections_refused: u64,
    /// Of these, idle connections that were closed to make room for others.
    pub connections_released: u64,
}
