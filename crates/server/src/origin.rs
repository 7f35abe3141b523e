//! The source of a site's responses: the files of a directory, or an upstream.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tower_service::Service;

use headstart_files::{self as static_files, StaticFiles};
use headstart_proxy::{self as proxy, Proxy};

/// Either, as one service. Clones share what they answer from.
#[derive(Clone)]
pub(crate) enum Origin {
    Files(StaticFiles),
    Upstream(Proxy),
}

impl Service<Request<headstart::Body>> for Origin {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self {
            Origin::Files(files) => Service::<Request<headstart::Body>>::poll_ready(files, cx),
            Origin::Upstream(proxy) => Service::<Request<headstart::Body>>::poll_ready(proxy, cx),
        }
    }

    fn call(&mut self, request: Request<headstart::Body>) -> ResponseFuture {
        match self {
            Origin::Files(files) => ResponseFuture::Files(files.call(request)),
            Origin::Upstream(proxy) => ResponseFuture::Upstream(proxy.call(request)),
        }
    }
}

/// The response, from wherever it comes.
pub(crate) enum ResponseFuture {
    Files(static_files::ResponseFuture),
    Upstream(proxy::ResponseFuture),
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            ResponseFuture::Files(future) => Pin::new(future).poll(cx).map_ok(|response| response.map(Body::Files)),
            ResponseFuture::Upstream(future) => {
                Pin::new(future).poll(cx).map_ok(|response| response.map(Body::Upstream))
            }
        }
    }
}

/// A response body, from wherever it comes.
pub(crate) enum Body {
    Files(static_files::Body),
    Upstream(proxy::Body),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Body::Files(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Body::Upstream(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Files(body) => body.is_end_stream(),
            Body::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Files(body) => body.size_hint(),
            Body::Upstream(body) => body.size_hint(),
        }
    }
}

/// Why a body ended early.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;
