//! Which site answers: a [`Service`] that can be given other sites while it serves.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tower_service::Service;

use crate::certificates::Certificates;
use crate::origin::{self, Origin};
use crate::routes::{self, Routes};

/// Answers for all sites. A clone belongs to one connection, and sees sites that were exchanged from its next request on.
#[derive(Clone)]
pub(crate) struct Router {
    shared: Arc<Shared>,
    /// On a connection over TLS.
    tls: Option<Tls>,
}

struct Shared {
    sites: ArcSwap<Routes<Origin>>,
    certificates: Arc<Certificates>,
}

#[derive(Clone, Default)]
struct Tls {
    /// The name that the client asked for in its handshake.
    server_name: Option<Arc<str>>,
}

impl Router {
    pub(crate) fn new(sites: Routes<Origin>, certificates: Arc<Certificates>) -> Self {
        Self { shared: Arc::new(Shared { sites: ArcSwap::from_pointee(sites), certificates }), tls: None }
    }

    /// Serves these sites from now on.
    pub(crate) fn replace(&self, sites: Routes<Origin>) {
        self.shared.sites.store(Arc::new(sites));
    }

    /// Becomes the router of one connection over TLS.
    pub(crate) fn connected(&mut self, server_name: Option<&str>) {
        self.tls = Some(Tls { server_name: server_name.map(Arc::from) });
    }

    /// Whether the connection's certificate is that of another host.
    fn is_misdirected(&self, host: &str) -> bool {
        self.tls.as_ref().is_some_and(|tls| self.shared.certificates.is_misdirected(tls.server_name.as_deref(), host))
    }
}

impl Service<Request<headstart::Body>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<headstart::Body>) -> ResponseFuture {
        let host = routes::host(request.uri(), request.headers()).unwrap_or_default();
        if self.is_misdirected(host) {
            return ResponseFuture::Refused(StatusCode::MISDIRECTED_REQUEST);
        }
        let sites = self.shared.sites.load();
        match sites.look_up(host, request.uri().path()) {
            Some(site) => ResponseFuture::Site(site.clone().call(request)),
            None if host.is_empty() => ResponseFuture::Refused(StatusCode::BAD_REQUEST),
            // Nobody here answers for this name (RFC 9110, section 15.5.20).
            None => ResponseFuture::Refused(StatusCode::MISDIRECTED_REQUEST),
        }
    }
}

/// The response of a site, or that there is none.
pub(crate) enum ResponseFuture {
    Refused(StatusCode),
    Site(origin::ResponseFuture),
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            ResponseFuture::Refused(status) => {
                let mut response = Response::new(Body(None));
                *response.status_mut() = *status;
                Poll::Ready(Ok(response))
            }
            ResponseFuture::Site(response) => {
                Pin::new(response).poll(cx).map_ok(|response| response.map(|body| Body(Some(body))))
            }
        }
    }
}

/// The body of a site's response; none where no site answered.
pub(crate) struct Body(Option<origin::Body>);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = origin::BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match &mut self.get_mut().0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(origin::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), origin::Body::size_hint)
    }
}
