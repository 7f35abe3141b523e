//! The service around the service.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use headstart::Decided;
use headstart::policy::{ClientAddress, Peer, Pushed};
use headstart_proxy::UpstreamName;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::WatchedBody;
use super::counters::Counters;
use super::record::{Noted, Record};
use crate::access_log_writer::AccessLog;

/// Who is told of responses: the metrics, the access log, both or neither.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    pub(crate) counters: Option<Arc<Counters>>,
    pub(crate) log: Option<AccessLog>,
}

/// A service whose responses are watched. With nobody to tell it costs a branch.
#[derive(Clone)]
pub(crate) struct Watched<S> {
    inner: S,
    watch: Watch,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, watch: Watch) -> Self {
        Self { inner, watch }
    }

    /// The service within.
    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S, R, B> Service<Request<R>> for Watched<S>
where
    S: Service<Request<R>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<WatchedBody<B>>;
    type Error = S::Error;
    type Future = WatchedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> WatchedFuture<S::Future> {
        if self.watch.counters.is_none() && self.watch.log.is_none() {
            return WatchedFuture { inner: self.inner.call(request), open: None };
        }
        let (head, body) = request.into_parts();
        let open = Open::new(&self.watch, &head);
        WatchedFuture { inner: self.inner.call(Request::from_parts(head, body)), open: Some(open) }
    }
}

pin_project! {
    /// The future of [`Watched`].
    pub(crate) struct WatchedFuture<F> {
        #[pin]
        inner: F,
        open: Option<Open>,
    }
}

impl<F, B, E> Future for WatchedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut open = this.open.take();
        let mut bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if let Some(open) = &mut open {
            open.answered(response.status());
            if let Some(noted) = &mut open.noted {
                noted.upstream = response.extensions().get::<UpstreamName>().cloned();
            }
            bodiless |= open.method == Method::HEAD;
        }
        Poll::Ready(Ok(response.map(|body| WatchedBody::new(body, open, bodiless))))
    }
}

/// What only the log wants to know.
struct ForLog {
    request: Noted,
    client: Option<IpAddr>,
    decided: Option<Decided>,
    upstream: Option<UpstreamName>,
}

/// An exchange under way. Told when it is dropped.
pub(super) struct Open {
    watch: Watch,
    noted: Option<Box<ForLog>>,
    method: Method,
    version: Version,
    /// Made by the driver: for a push, or to compare what a client holds with what is there now.
    for_push: bool,
    began: Instant,
    status: Option<StatusCode>,
    pub(super) bytes: u64,
    /// A byte was asked for.
    pub(super) sent: bool,
    pub(super) complete: bool,
}

impl Open {
    fn new(watch: &Watch, head: &http::request::Parts) -> Self {
        let for_push = head.extensions.get::<Pushed>().is_some();
        if let Some(counters) = watch.counters.as_ref().filter(|_| !for_push) {
            counters.begin();
        }
        Self {
            watch: watch.clone(),
            noted: watch.log.as_ref().map(|_| {
                Box::new(ForLog {
                    request: Noted::new(head),
                    client: client(head),
                    decided: head.extensions.get::<Decided>().cloned(),
                    upstream: None,
                })
            }),
            method: head.method.clone(),
            version: head.version,
            for_push,
            began: Instant::now(),
            status: None,
            bytes: 0,
            sent: false,
            complete: false,
        }
    }

    fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        if let Some(counters) = self.watch.counters.as_ref().filter(|_| !self.for_push) {
            counters.answered(self.version, status, self.began.elapsed());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(counters) = self.watch.counters.as_ref().filter(|_| !self.for_push) {
            counters.end(self.bytes, self.complete);
        }
        // What was asked for on behalf of a push and then not sent concerns nobody.
        if self.for_push && !self.sent {
            return;
        }
        if let (Some(log), Some(noted)) = (&self.watch.log, self.noted.take()) {
            let ForLog { request, client, decided, upstream } = *noted;
            log.write(Record {
                time: SystemTime::now(),
                client,
                request,
                // The client left before there was an answer: nginx's number for it.
                status: self.status.or(StatusCode::from_u16(499).ok()).unwrap_or_default(),
                bytes: self.bytes,
                duration: self.began.elapsed(),
                complete: self.complete,
                early: decided.and_then(|decided| decided.get()),
                pushed: self.for_push,
                upstream: upstream.map(|UpstreamName(name)| name),
            });
        }
    }
}

/// Who asks, as a trusted proxy says, or else the address of the connection.
fn client(head: &http::request::Parts) -> Option<IpAddr> {
    let forwarded = head.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    let address = forwarded.or_else(|| head.extensions.get::<Peer>().map(|Peer(address)| address.ip()));
    address.map(|address| address.to_canonical())
}
