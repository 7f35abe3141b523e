//! One server of an upstream: its connections, and whether it is well.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::address::{Address, Scheme};
use super::config::{Config, ConfigError, Health};
use super::connection::Connection;
use super::dial::{Dialed, Dialer};
use super::error::Fault;
use super::http1::Http1;
use super::http2::Http2;
use super::paths::Paths;
use super::stats::{self, Counters, ServerStats};

pub(super) struct Server {
    dialer: Dialer,
    pub(super) paths: Arc<Paths>,
    limits: super::config::Limits,
    idle_timeout: Duration,
    health: Health,
    /// Connections that nobody uses, the one used last at the end.
    idle: Mutex<VecDeque<Http1>>,
    shared: Mutex<Vec<Http2>>,
    /// One at a time makes a shared connection; the others wait for a permit on it.
    dialing: tokio::sync::Mutex<()>,
    /// TLS has agreed on HTTP/2 before.
    speaks_http2: AtomicBool,
    born: Instant,
    /// Until then it is left out, in milliseconds after `born`.
    aside_until: AtomicU64,
    failures_in_a_row: AtomicU32,
    /// Who has asked since the last success for what one page alone may do ([`Fault::of_one_page`]); `max_failures` at
    /// most.
    askers: Mutex<Vec<IpAddr>>,
    /// Whether probes find the server down.
    probed_down: AtomicBool,
    pub(super) open: AtomicU64,
    requests: AtomicU64,
    failures: AtomicU64,
    counters: Arc<Counters>,
}

impl Server {
    pub(super) fn new(address: Address, config: &Config, counters: &Arc<Counters>) -> Result<Self, ConfigError> {
        Ok(Server {
            speaks_http2: AtomicBool::new(address.scheme == Scheme::H2c),
            paths: Arc::new(Paths::new(&config.strip_prefix, address.base())),
            dialer: Dialer::new(address, config)?,
            limits: config.limits,
            idle_timeout: config.timeouts.idle,
            health: config.health.clone(),
            idle: Mutex::default(),
            shared: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
            born: Instant::now(),
            aside_until: AtomicU64::new(0),
            failures_in_a_row: AtomicU32::new(0),
            askers: Mutex::default(),
            probed_down: AtomicBool::new(false),
            open: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            counters: Arc::clone(counters),
        })
    }

    pub(super) fn address(&self) -> &Address {
        &self.dialer.address
    }

    pub(super) fn scheme(&self) -> http::uri::Scheme {
        match self.address().scheme {
            Scheme::Https => http::uri::Scheme::HTTPS,
            Scheme::Http | Scheme::H2c => http::uri::Scheme::HTTP,
        }
    }

    /// A connection for one request: an old one if there is one and `fresh` does not forbid it, else a new one.
    /// `exclusive` asks for HTTP/1.1, which can become a tunnel; in clear the server speaks one version only.
    pub(super) async fn connection(&self, fresh: bool, exclusive: bool) -> Result<Connection, Fault> {
        if !fresh && let Some(connection) = self.reuse() {
            return Ok(Connection::Http1(connection));
        }
        let exclusive = exclusive && self.address().scheme != Scheme::H2c;
        if exclusive || !self.speaks_http2.load(Ordering::Relaxed) {
            return self.dial(exclusive).await;
        }
        if let Some(held) = self.permit() {
            return Ok(held);
        }
        let _one = self.dialing.lock().await;
        match self.permit() {
            Some(held) => Ok(held),
            None => self.dial(false).await,
        }
    }

    async fn dial(&self, exclusive: bool) -> Result<Connection, Fault> {
        let dialed = self.dialer.dial(exclusive).await?;
        stats::add(&self.counters.connections, 1);
        match dialed {
            Dialed::Http1(connection) => Ok(Connection::Http1(connection)),
            Dialed::Http2(connection) => {
                self.speaks_http2.store(true, Ordering::Relaxed);
                let permit = connection.permit().ok_or(Fault::Closed)?;
                lock(&self.shared).push(connection);
                Ok(Connection::Http2(permit))
            }
        }
    }

    fn reuse(&self) -> Option<Http1> {
        loop {
            let mut connection = lock(&self.idle).pop_back()?;
            if connection.is_idle() && connection.since.elapsed() < self.idle_timeout {
                return Some(connection);
            }
        }
    }

    fn permit(&self) -> Option<Connection> {
        let mut shared = lock(&self.shared);
        shared.retain(|connection| !connection.is_closed());
        shared.iter().find_map(Http2::permit).map(Connection::Http2)
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, mut connection: Http1) {
        connection.since = Instant::now();
        let mut idle = lock(&self.idle);
        // The one that was used longest ago gives way.
        let _closed = (idle.len() >= self.limits.max_idle).then(|| idle.pop_front());
        if self.limits.max_idle > 0 {
            idle.push_back(connection);
        }
    }

    /// Closes what is unused for too long, or was closed by the server.
    pub(super) fn sweep(&self) {
        let (mut kept, mut gone) = (VecDeque::new(), Vec::new());
        for mut connection in std::mem::take(&mut *lock(&self.idle)) {
            if connection.is_idle() && connection.since.elapsed() < self.idle_timeout {
                kept.push_back(connection);
            } else {
                gone.push(connection);
            }
        }
        let mut idle = lock(&self.idle);
        // Used meanwhile, so later than all of these.
        kept.append(&mut idle);
        *idle = kept;
        drop(idle);
        lock(&self.shared).retain(|connection| !connection.is_closed() && !connection.is_idle_for(self.idle_timeout));
    }

    /// A response came.
    pub(super) fn succeeded(&self) {
        stats::add(&self.requests, 1);
        if self.failures_in_a_row.load(Ordering::Relaxed) != 0 {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
            lock(&self.askers).clear();
            self.aside_until.store(0, Ordering::Relaxed);
        }
    }

    /// None came, by the server's fault. Of what one page may do, which anyone can ask for again and again, each client
    /// counts once.
    pub(super) fn failed(&self, fault: Fault, client: IpAddr) {
        stats::add(&self.requests, 1);
        stats::add(&self.failures, 1);
        if fault.of_one_page() {
            let mut askers = lock(&self.askers);
            if askers.contains(&client) {
                return;
            }
            if askers.len() < self.health.max_failures as usize {
                askers.push(client);
            }
        }
        let failures = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.health.max_failures > 0 && failures >= self.health.max_failures {
            let until = self.born.elapsed().saturating_add(self.health.aside);
            self.aside_until.store(until.as_millis() as u64, Ordering::Relaxed);
            if failures == self.health.max_failures {
                let seconds = self.health.aside.as_secs_f64();
                tracing::warn!(server = %self.address(), fault = fault.name(), "{failures} failures in a row: left out for {seconds} s");
            }
        }
    }

    pub(super) fn probed(&self, up: bool) {
        if self.probed_down.swap(!up, Ordering::Relaxed) == up {
            let state = if up { "is well again" } else { "is not well: left out" };
            tracing::warn!(server = %self.address(), "the server {state}");
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        let until = self.aside_until.load(Ordering::Relaxed);
        !self.probed_down.load(Ordering::Relaxed) && (until == 0 || self.born.elapsed().as_millis() as u64 >= until)
    }

    pub(super) fn stats(&self) -> ServerStats {
        ServerStats {
            address: self.address().to_string(),
            healthy: self.is_healthy(),
            open: self.open.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}

/// The state behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
