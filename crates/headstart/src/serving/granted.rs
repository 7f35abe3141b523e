//! Whether an HTTP/1.1 connection was granted another protocol.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http::{Method, Request, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use pin_project_lite::pin_project;
use tower_service::Service;

/// Set once the rest of a connection is no HTTP/1.1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted(Arc<AtomicBool>);

impl Granted {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Sees which request is granted the change of protocol that it asked for: `Upgrade` by 101, CONNECT by any success, as
/// hyper has it.
#[derive(Clone)]
pub(super) struct WatchesChanges<S> {
    pub(super) service: S,
    pub(super) granted: Granted,
}

/// The change of protocol that a request asked for.
#[derive(Clone, Copy)]
enum Change {
    Upgrade,
    Connect,
}

impl<S, R, B> Service<Request<R>> for WatchesChanges<S>
where
    S: Service<Request<R>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = WatchedAnswer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let asks = request.extensions().get::<OnUpgrade>().is_some();
        let change = if request.method() == Method::CONNECT { Change::Connect } else { Change::Upgrade };
        let asked = asks.then(|| (change, self.granted.clone()));
        WatchedAnswer { future: self.service.call(request), asked }
    }
}

pin_project! {
    /// The future of [`WatchesChanges`].
    pub(super) struct WatchedAnswer<F> {
        #[pin]
        future: F,
        asked: Option<(Change, Granted)>,
    }
}

impl<F, B, E> Future for WatchedAnswer<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        if let Some((change, granted)) = this.asked.take() {
            let grants = match change {
                Change::Upgrade => response.status() == StatusCode::SWITCHING_PROTOCOLS,
                Change::Connect => response.status().is_success(),
            };
            if grants {
                granted.set();
            }
        }
        Poll::Ready(Ok(response))
    }
}
