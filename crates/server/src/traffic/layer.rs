//! The service around the service.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use headstart_proxy::UpstreamName;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::WatchedBody;
use super::open::{Open, Watch};

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
            open.answered(response.status(), response.extensions().get::<UpstreamName>());
            bodiless |= open.is_head();
        }
        Poll::Ready(Ok(response.map(|body| WatchedBody::new(body, open, bodiless))))
    }
}
