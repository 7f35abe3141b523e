//! The service: who is let in, and which server is asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, FutureExt, Ready, poll_fn, ready};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::body::Body;
use super::cache::{Cache, Lookup};
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
        match Lookup::new(&inner.cache, inner.config.cache, &inner.cache_name, &host, &head) {
            Some(lookup) if head.method.is_safe() => inner.look_up(lookup, head, host, body),
            lookup => inner.ask(head, &host, Some(body), lookup),
        }
    }
}

/// A response that is there, or one that is waited for.
type Answer = <Proxy as Service<Request<headstart::Body>>>::Future;

fn answer(response: Response<Body>) -> Answer {
    Either::Left(ready(Ok(response)))
}

impl Inner {
    /// What the cache has, or will have from what somebody else asks for; else what the upstream says.
    fn look_up(self: &Arc<Self>, mut lookup: Lookup, head: Parts, host: String, body: headstart::Body) -> Answer {
        if let Some(response) = lookup.find(&head) {
            stats::add(&self.counters.cache_hits, 1);
            return answer(response);
        }
        if let Some(response) = lookup.find_stale(&head) {
            stats::add(&self.counters.cache_hits, 1);
            self.refresh(lookup, head, &host);
            return answer(response);
        }
        let follower = if body.is_end_stream() { lookup.join(&head) } else { None };
        let Some(follower) = follower else {
            // It may have come between the look and the decision to ask for it.
            if lookup.leads()
                && let Some(response) = lookup.find(&head)
            {
                stats::add(&self.counters.cache_hits, 1);
                return answer(response);
            }
            stats::add(&self.counters.cache_misses, 1);
            return self.ask(head, &host, Some(body), Some(lookup));
        };
        let inner = Arc::clone(self);
        let waits = async move {
            if let Some(response) = lookup.wait(follower, &head).await {
                stats::add(&inner.counters.cache_hits, 1);
                return Ok(response);
            }
            stats::add(&inner.counters.cache_misses, 1);
            inner.ask(head, &host, Some(body), Some(lookup)).await
        };
        Either::Right(waits.boxed())
    }

    /// Asks for what was shown though it is stale, unless somebody does so already.
    fn refresh(self: &Arc<Self>, mut lookup: Lookup, head: Parts, host: &str) {
        let Some(head) = lookup.refreshing(head) else { return };
        let asked = self.ask(head, host, None, Some(lookup));
        tokio::spawn(async move {
            let Ok(response) = asked.await;
            let mut body = response.into_body();
            while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
        });
    }

    /// Asks the upstream, if there is a place.
    fn ask(self: &Arc<Self>, head: Parts, host: &str, body: Option<headstart::Body>, lookup: Option<Lookup>) -> Answer {
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else {
            self.counters.fault(Fault::Full);
            return answer(respond::fault(&head.method, Fault::Full));
        };
        let exchange = Exchange::new(self, permit, head, host, body, lookup);
        let name = Upstream(Arc::clone(&self.name));
        let named = |mut response: Response<Body>| {
            response.extensions_mut().insert(name);
            Ok(response)
        };
        Either::Right(exchange.run().map(named).boxed())
    }

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
