//! The service: who is let in, and which server is asked.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::future::{BoxFuture, Either, FutureExt, Ready, ready};
use http::{Request, Response};
use tokio::sync::Semaphore;
use tower_service::Service;

use super::body::Body;
use super::cache::{Asked, Cache, Lookup};
use super::config::{Balance, Config, ConfigError};
use super::error::Fault;
use super::exchange::Exchange;
use super::server::Server;
use super::stats::{Counters, UpstreamStats};
use super::{head, probe, respond, stats};
use crate::traffic::Upstream;

/// How often unused connections are looked at.
const SWEEP: Duration = Duration::from_secs(5);

/// Numbers upstreams.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Asks one upstream. Clones share connections, health and counters; background work ends with the last of them.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) servers: Vec<Arc<Server>>,
    pub(super) counters: Arc<Counters>,
    name: Arc<str>,
    places: Arc<Semaphore>,
    turn: AtomicUsize,
    cache: Cache,
    /// What tells its responses in the cache from those of others.
    cache_name: String,
}

impl Proxy {
    /// Makes the proxy and begins to look after its servers; nothing is connected yet. Several upstreams may share a
    /// cache.
    ///
    /// # Errors
    ///
    /// If there is no server, or a file of certificates cannot be used.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn new(config: Config, cache: Cache) -> Result<Self, ConfigError> {
        if config.servers.is_empty() {
            return Err(ConfigError(format!("the upstream {:?} has no servers", config.name)));
        }
        let counters = Arc::<Counters>::default();
        let servers =
            config.servers.iter().map(|address| Server::new(address.clone(), &config, &counters).map(Arc::new));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        let inner = Arc::new(Inner {
            servers,
            counters,
            name: config.name.as_str().into(),
            places: Arc::new(Semaphore::new(config.limits.max_in_flight.min(Semaphore::MAX_PERMITS))),
            turn: AtomicUsize::new(0),
            cache,
            cache_name: NEXT.fetch_add(1, Ordering::Relaxed).to_string(),
            config,
        });
        tokio::spawn(sweep(Arc::downgrade(&inner)));
        if inner.config.health.probe.is_some() {
            for at in 0..inner.servers.len() {
                tokio::spawn(probe::run(Arc::downgrade(&inner), at));
            }
        }
        Ok(Proxy(inner))
    }

    /// The counters as they are.
    pub(crate) fn stats(&self) -> UpstreamStats {
        let mut stats = self.0.counters.snapshot(&self.0.name);
        stats.servers = self.0.servers.iter().map(|server| server.stats()).collect();
        let taken = self.0.config.limits.max_in_flight.saturating_sub(self.0.places.available_permits());
        stats.open = taken as u64;
        stats
    }
}

async fn sweep(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        for server in &inner.servers {
            server.sweep();
        }
    }
}

impl Service<Request<headstart::Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future =
        Either<Ready<Result<Response<Body>, Infallible>>, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<headstart::Body>) -> Self::Future {
        let inner = &self.0;
        stats::add(&inner.counters.requests, 1);
        let (mut head, body) = request.into_parts();
        if let Some(status) = head::refused(&head) {
            return Either::Left(ready(Ok(respond::refused(&head.method, status))));
        }
        let host = head::take_host(&mut head);
        let lookup = Lookup::new(&inner.cache, inner.config.cache, &inner.cache_name, &host, &head);
        if let Some(lookup) = lookup.as_ref().filter(|_| head.method.is_safe()) {
            if let Some(response) = lookup.cache.get(&lookup.key, Asked(&head), SystemTime::now()) {
                stats::add(&inner.counters.cache_hits, 1);
                return Either::Left(ready(Ok(response)));
            }
            stats::add(&inner.counters.cache_misses, 1);
        }
        let Ok(permit) = Arc::clone(&inner.places).try_acquire_owned() else {
            inner.counters.fault(Fault::Full);
            return Either::Left(ready(Ok(respond::fault(&head.method, Fault::Full))));
        };
        let exchange = Exchange::new(inner, permit, head, &host, body, lookup);
        let name = Upstream(Arc::clone(&inner.name));
        let named = |mut response: Response<Body>| {
            response.extensions_mut().insert(name);
            Ok(response)
        };
        Either::Right(exchange.run().map(named).boxed())
    }
}

impl Inner {
    /// The next server to ask, of those not tried yet: a healthy one if there is one. `None` if all were tried.
    pub(super) fn balance(&self, tried: &[usize]) -> Option<usize> {
        let count = self.servers.len();
        if count == 1 {
            return tried.is_empty().then_some(0);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let untried = || (0..count).map(|step| (turn.wrapping_add(step)) % count).filter(|at| !tried.contains(at));
        let is_healthy = |at: &usize| self.servers.get(*at).is_some_and(|server| server.is_healthy());
        let open = |at: &usize| self.servers.get(*at).map_or(0, |server| server.open.load(Ordering::Relaxed));
        match self.config.balance {
            Balance::RoundRobin => untried().find(is_healthy).or_else(|| untried().next()),
            Balance::LeastOpen => untried().filter(is_healthy).min_by_key(open).or_else(|| untried().min_by_key(open)),
        }
    }
}
