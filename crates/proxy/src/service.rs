//! The service: who is let in, and which server is asked.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, FutureExt as _, Ready, poll_fn, ready};
use headstart_coding::Levels;
use headstart_policy::{ClientAddress, OverTls, Peer, Share, Shares};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::body::Body;
use super::cache::{Cache, Lookup, Target, normalise_codings};
use super::config::{Config, ConfigError};
use super::encoding::Budget;
use super::error::Fault;
use super::exchange::{Exchange, Permits};
use super::server::Server;
use super::stats::{Counters, UpstreamStats};
use super::upload::Content;
use super::upstream::Upstream;
use super::{forwarded, head, probe, respond, stats};

/// Requests that wait for a permit at once, and for how long each; then 503.
const MAX_WAITING: usize = 1024;
/// The same of a share of what clients do not take, which comes back soon where a client takes all: a third is for one.
const MAX_UNREAD_WAITING: usize = 2304;
const WAITS_FOR: Duration = Duration::from_secs(2);
/// Of the places of an upstream, so many for one as are free for uploads, and for responses that their client does not
/// take: alone a client may have a quarter of the places for either.
const PART: usize = 3;
/// How often unused connections are looked at.
const SWEEP: Duration = Duration::from_secs(5);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Numbers upstreams.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Asks one upstream. Clones share connections, health and counters; background work ends with the last of them.
#[derive(Clone)]
pub struct Proxy(Arc<Upstream>);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// The name of the upstream that answered, in the extensions of its responses; those from the cache and those that the
/// proxy makes itself have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamName(pub Arc<str>);

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
    pub fn new(config: Config, cache: Cache) -> Result<Self, ConfigError> {
        if config.servers.is_empty() {
            return Err(ConfigError(format!("the upstream {:?} has no servers", config.name)));
        }
        let counters = Arc::<Counters>::default();
        let servers =
            config.servers.iter().map(|address| Server::new(address.clone(), &config, &counters).map(Arc::new));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        let inner = Arc::new(Upstream {
            servers,
            counters,
            name: config.name.as_str().into(),
            shares: Shares::new(config.limits.max_in_flight, MAX_WAITING),
            uploads: Shares::of_free(config.limits.max_in_flight, PART, MAX_WAITING),
            unread: Shares::of_free(config.limits.max_in_flight, PART, MAX_UNREAD_WAITING),
            turn: AtomicUsize::new(0),
            cache,
            encoders: config.compress.map_or_else(
                || Budget::new(0, Levels::LIVE),
                |compression| Budget::new(compression.max_memory, compression.levels),
            ),
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
    pub fn stats(&self) -> UpstreamStats {
        let mut stats = self.0.counters.snapshot(&self.0.name);
        stats.servers = self.0.servers.iter().map(|server| server.stats()).collect();
        stats.open = self.0.shares.used() as u64;
        stats
    }
}

async fn sweep(inner: Weak<Upstream>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        for server in &inner.servers {
            server.sweep();
        }
        inner.encoders.sweep();
    }
}

impl<B> Service<Request<B>> for Proxy
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = &self.0;
        stats::add(&inner.counters.requests, 1);
        let (mut head, body) = request.into_parts();
        if let Some(status) = head::refused(&head) {
            return answer(respond::refused(&head.method, status));
        }
        if inner.config.hides(&head.uri) {
            return answer(respond::status(&head.method, StatusCode::NOT_FOUND));
        }
        let limit = inner.config.limits.max_upload;
        if head::content_length(&head.headers).is_some_and(|bytes| limit.is_some_and(|limit| bytes > limit)) {
            inner.counters.fault(Fault::UploadTooLarge);
            return answer(respond::fault(&head.method, Fault::UploadTooLarge));
        }
        let host = head::take_host(&mut head);
        let content = (!body.is_end_stream()).then(|| body.map_err(Into::into).boxed_unsync());
        let forwarding = &inner.config.forwarding;
        let told = forwarded::told(&head.headers, head.extensions.get::<OverTls>().is_some(), forwarding);
        let target = Target { upstream: &inner.cache_name, told: &told, authority: &host };
        match Lookup::new(&inner.cache, &inner.config, target, &head, content.is_some()) {
            Some(lookup) if head.method.is_safe() => {
                normalise_codings(&mut head.headers);
                inner.look_up(lookup, head, host, content)
            }
            lookup => inner.ask(head, &host, content, lookup),
        }
    }
}

fn answer(response: Response<Body>) -> ResponseFuture {
    ResponseFuture(Either::Left(ready(Ok(response))))
}

/// The response, at once or as soon as the upstream has answered.
pub struct ResponseFuture(Either<Ready<Answer>, BoxFuture<'static, Answer>>);

type Answer = Result<Response<Body>, Infallible>;

impl Future for ResponseFuture {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl Upstream {
    /// Answers from the cache, or from another request's fill; else asks the upstream.
    fn look_up(
        self: &Arc<Self>,
        mut lookup: Lookup,
        head: Parts,
        host: String,
        content: Option<Content>,
    ) -> ResponseFuture {
        if let Some(response) = lookup.find(&head) {
            stats::add(&self.counters.cache_hits, 1);
            return answer(response.map(Body::known));
        }
        if let Some(response) = lookup.find_stale(&head) {
            stats::add(&self.counters.cache_hits, 1);
            self.refresh(lookup, head, &host);
            return answer(response.map(Body::known));
        }
        let coalesced = if content.is_none() { lookup.join(&head) } else { None };
        let Some(coalesced) = coalesced else {
            // It may have come between the look and the decision to ask for it.
            if lookup.leads()
                && let Some(response) = lookup.find(&head)
            {
                stats::add(&self.counters.cache_hits, 1);
                return answer(response.map(Body::known));
            }
            stats::add(&self.counters.cache_misses, 1);
            return self.ask(head, &host, content, Some(lookup));
        };
        let inner = Arc::clone(self);
        let waits = async move {
            if let Some(response) = lookup.wait(coalesced, &head).await {
                stats::add(&inner.counters.cache_hits, 1);
                return Ok(response.map(Body::known));
            }
            stats::add(&inner.counters.cache_misses, 1);
            inner.ask(head, &host, content, Some(lookup)).await
        };
        ResponseFuture(Either::Right(waits.boxed()))
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

    /// Asks the upstream, now or once the client may have a permit.
    fn ask(
        self: &Arc<Self>,
        head: Parts,
        host: &str,
        content: Option<Content>,
        lookup: Option<Lookup>,
    ) -> ResponseFuture {
        let client = client(&head);
        let upload = content.is_some().then(|| self.uploads.try_take(client));
        let unread = self.unread.try_take(client);
        if upload.as_ref().is_none_or(Option::is_some)
            && let Some(unread) = unread
            && let Some(place) = self.shares.try_take(client)
        {
            let permits = Permits { place, unread, upload: upload.flatten() };
            return ResponseFuture(Either::Right(self.exchange(permits, head, host, content, lookup).boxed()));
        }
        let (inner, host, uploads) = (Arc::clone(self), host.to_owned(), upload.is_some());
        drop(upload);
        let waits = async move {
            match inner.permits(client, uploads).await {
                // Boxed: what waits is small then.
                Ok(permits) => inner.exchange(permits, head, &host, content, lookup).boxed().await,
                Err(of) => {
                    inner.counters.fault(Fault::Full);
                    Ok(respond::share(&head.method, of))
                }
            }
        };
        ResponseFuture(Either::Right(waits.boxed()))
    }

    /// Waits for what a request needs; if it does not come, what it is a share of.
    async fn permits(&self, client: Option<IpAddr>, uploads: bool) -> Result<Permits, &Shares> {
        let until = Instant::now() + WAITS_FOR;
        let upload = if uploads { Some(take_or_wait(&self.uploads, client, until).await?) } else { None };
        let unread = take_or_wait(&self.unread, client, until).await?;
        let place = take_or_wait(&self.shares, client, until).await?;
        Ok(Permits { place, unread, upload })
    }

    fn exchange(
        self: &Arc<Self>,
        permits: Permits,
        head: Parts,
        host: &str,
        content: Option<Content>,
        lookup: Option<Lookup>,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let exchange = Exchange::new(self, permits, head, host, content, lookup);
        let name = UpstreamName(Arc::clone(&self.name));
        exchange.run().map(|mut response| {
            response.extensions_mut().insert(name);
            Ok(response)
        })
    }
}

async fn take_or_wait(shares: &Arc<Shares>, client: Option<IpAddr>, until: Instant) -> Result<Share, &Shares> {
    if let Some(share) = shares.try_take(client) {
        return Ok(share);
    }
    let waiting = shares.wait(client).ok_or(&**shares)?;
    timeout_at(until, waiting).await.map_err(|_| &**shares)
}

/// The client whose share a request takes: as a trusted proxy names it, else the peer.
fn client(head: &Parts) -> Option<IpAddr> {
    let named = head.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    named.or_else(|| head.extensions.get::<Peer>().map(|Peer(address)| address.ip()))
}
