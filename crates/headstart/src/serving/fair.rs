//! Each client's share of the requests that are under way.
//!
//! A request costs memory, perhaps an open file, and what its application holds, for as long as its client takes nothing.
//! A client that has its share waits until one of its own requests has ended, for two seconds at most, and is then told to
//! try again.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use headstart_policy::{ClientAddress, Peer, Pushed, Share, Shares, Waiting};
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use super::body::Body;

/// A client alone may hold a ninth of all requests that may be under way.
pub(crate) const PART: usize = 8;

/// How long a request waits for its client's share.
const WAITS_FOR: Duration = Duration::from_secs(2);

/// Gives each client its share of a service.
#[derive(Clone)]
pub(crate) struct Fair<S> {
    pub(super) service: S,
    pub(super) shares: Arc<Shares>,
}

impl<S, B> Service<Request<Body>> for Fair<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone,
{
    type Response = Response<FairBody<B>>;
    type Error = S::Error;
    type Future = FairFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> FairFuture<S> {
        let Some(client) = client(&request) else {
            return FairFuture::Answering { future: self.service.call(request), share: None };
        };
        if let Some(share) = self.shares.try_take(Some(client)) {
            return FairFuture::Answering { future: self.service.call(request), share: Some(share) };
        }
        // A push, which the client has not asked for, does not wait.
        let is_push = request.extensions().get::<Pushed>().is_some();
        let Some(waiting) = (!is_push).then(|| self.shares.wait(Some(client))).flatten() else {
            return FairFuture::Refused { full: self.shares.is_full() };
        };
        // The service that was ready answers; the clone that stays has to become ready first.
        let service = self.service.clone();
        let service = std::mem::replace(&mut self.service, service);
        let shares = Arc::clone(&self.shares);
        let request = Box::new(Waits { waiting, timer: Box::pin(sleep(WAITS_FOR)), service, request, shares });
        FairFuture::Waiting { waits: Some(request) }
    }
}

/// The client whose share a request takes: as a trusted proxy names it, else the peer. A trusted proxy that names
/// nobody has none.
fn client(request: &Request<Body>) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    match request.extensions().get::<ClientAddress>() {
        Some(ClientAddress(named)) => Some(*named).filter(|named| Some(*named) != peer),
        None => peer,
    }
}

/// A request that waits.
pub(crate) struct Waits<S> {
    waiting: Waiting,
    timer: Pin<Box<Sleep>>,
    service: S,
    request: Request<Body>,
    shares: Arc<Shares>,
}

pin_project! {
    /// The future of [`Fair`].
    #[project = FairProjected]
    pub(crate) enum FairFuture<S: Service<Request<Body>>> {
        Answering { #[pin] future: S::Future, share: Option<Share> },
        Waiting { waits: Option<Box<Waits<S>>> },
        Refused { full: bool },
    }
}

impl<S, B> Future for FairFuture<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
{
    type Output = Result<Response<FairBody<B>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project() {
                FairProjected::Answering { future, share } => {
                    let response = ready!(future.poll(cx))?;
                    let share = share.take();
                    return Poll::Ready(Ok(response.map(|body| FairBody::Of { body, _share: share })));
                }
                FairProjected::Waiting { waits } => {
                    let Some(waiting) = waits else { return Poll::Pending };
                    let share = match Pin::new(&mut waiting.waiting).poll(cx) {
                        Poll::Ready(share) => Some(share),
                        Poll::Pending => {
                            ready!(waiting.timer.as_mut().poll(cx));
                            None
                        }
                    };
                    match (waits.take(), share) {
                        (Some(waited), Some(share)) => {
                            let Waits { mut service, request, .. } = *waited;
                            FairFuture::Answering { future: service.call(request), share: Some(share) }
                        }
                        (Some(waited), None) => FairFuture::Refused { full: waited.shares.is_full() },
                        (None, _) => return Poll::Pending,
                    }
                }
                FairProjected::Refused { full } => return Poll::Ready(Ok(refusal(*full))),
            };
            self.set(next);
        }
    }
}

/// Has no content: a client that takes nothing would hold the stream for it.
fn refusal<B>(full: bool) -> Response<FairBody<B>> {
    let mut response = Response::new(FairBody::Empty);
    *response.status_mut() = if full { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::TOO_MANY_REQUESTS };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pin_project! {
    /// The body of a response, with the client's share until its end.
    #[project = BodyProjected]
    pub(crate) enum FairBody<B> {
        Of { #[pin] body: B, _share: Option<Share> },
        Empty,
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for FairBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project() {
            BodyProjected::Of { body, .. } => body.poll_frame(cx),
            BodyProjected::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            FairBody::Of { body, .. } => body.is_end_stream(),
            FairBody::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            FairBody::Of { body, .. } => body.size_hint(),
            FairBody::Empty => SizeHint::with_exact(0),
        }
    }
}
