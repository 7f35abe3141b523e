//! Chooses the site that answers: a [`Service`] whose sites can be replaced while it serves.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::task::{Context, Poll, ready};

use arc_swap::ArcSwap;
use bytes::Bytes;
use headstart::policy::ClientAddress;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tower_service::Service;

use crate::beacon::{self, Beacons};
use crate::certificates::Certificates;
use crate::origin::{self, BodyError};
use crate::routes::{self, Ambiguous, Routes};
use crate::served::{SaidOf, Served, Target};

/// Answers for all sites. A clone belongs to one connection, and sees sites that were exchanged from its next request on.
#[derive(Clone)]
pub(crate) struct Router {
    shared: Arc<Shared>,
    /// On a connection over TLS.
    tls: Option<Tls>,
    /// On a listener whose every request is redirected to `https`.
    redirects_all: bool,
}

struct Shared {
    sites: ArcSwap<Routes<Served>>,
    certificates: Arc<Certificates>,
    https_port: AtomicU16,
    /// `None` if browsers are not to report.
    beacons: Option<Beacons>,
}

#[derive(Clone, Default)]
struct Tls {
    /// The name that the client asked for in its handshake.
    server_name: Option<Arc<str>>,
}

impl Router {
    pub(crate) fn new(sites: Routes<Served>, certificates: Arc<Certificates>, beacons: Option<Beacons>) -> Self {
        let (sites, https_port) = (ArcSwap::from_pointee(sites), AtomicU16::new(443));
        let shared = Shared { sites, certificates, https_port, beacons };
        Self { shared: Arc::new(shared), tls: None, redirects_all: false }
    }

    /// The port that redirects to `https` lead to, where a port has to be named.
    pub(crate) fn set_https_port(&self, port: u16) {
        self.shared.https_port.store(port, Ordering::Relaxed);
    }

    /// Becomes the router of a connection whose every request is redirected to `https`.
    pub(crate) fn redirect_all(&mut self) {
        self.redirects_all = true;
    }

    /// Serves these sites from now on.
    pub(crate) fn replace(&self, sites: Routes<Served>) {
        self.shared.sites.store(Arc::new(sites));
    }

    /// Becomes the router of one connection over TLS.
    pub(crate) fn connected(&mut self, server_name: Option<&str>) {
        self.tls = Some(Tls { server_name: server_name.map(Arc::from) });
    }

    fn answer(&self, site: &Served, request: Request<headstart::Body>) -> ResponseFuture {
        let authority = routes::authority(request.uri(), request.headers()).unwrap_or_default();
        let target = Target {
            uri: request.uri(),
            authority,
            is_secure: self.tls.is_some() || was_secure(&request),
            https_port: self.shared.https_port.load(Ordering::Relaxed),
        };
        let path = target.uri.path();
        if let Some((status, location)) = site.redirect(&target, self.redirects_all) {
            let fields = site.fields(path, target.is_secure, false);
            return ResponseFuture::Ours { status, location: Some(location), fields };
        }
        let fields = site.fields(path, target.is_secure, true);
        ResponseFuture::Site { response: site.origin.clone().call(request), fields }
    }

    /// A status without content, with the fields of the site whose name was asked for.
    fn refuse(&self, host: &str, path: &str, status: StatusCode) -> ResponseFuture {
        let sites = self.shared.sites.load();
        let site = sites.nearest(host, path).filter(|_| !host.is_empty());
        let fields = site.map_or_else(SaidOf::default, |site| site.fields(path, self.tls.is_some(), false));
        ResponseFuture::Ours { status, location: None, fields }
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
        if let Some(proof) = self.shared.certificates.challenges().answer(request.uri().path()) {
            return ResponseFuture::Proof(proof);
        }
        let host = routes::host(request.uri(), request.headers()).unwrap_or_default();
        if !routes::names_one_host(&request) {
            return self.refuse(host, request.uri().path(), StatusCode::BAD_REQUEST);
        }
        if self.is_misdirected(host) {
            return self.refuse(host, request.uri().path(), StatusCode::MISDIRECTED_REQUEST);
        }
        if let Some(beacons) = self.shared.beacons.as_ref().filter(|_| Beacons::is_for(&request)) {
            return ResponseFuture::Beacon(beacons.answer(request));
        }
        let sites = self.shared.sites.load();
        let path = match request.uri().path() {
            // Asks about the server as a whole (RFC 9110, section 9.3.7): the site at its root answers.
            "*" if request.method() == Method::OPTIONS => "/",
            path => path,
        };
        match sites.look_up(host, path) {
            Ok(Some(site)) => self.answer(site, request),
            Err(Ambiguous) => self.refuse(host, path, StatusCode::BAD_REQUEST),
            Ok(None) if host.is_empty() || !path.starts_with('/') => self.refuse(host, path, StatusCode::BAD_REQUEST),
            // Nobody here answers for this name (RFC 9110, section 15.5.20).
            Ok(None) => self.refuse(host, path, StatusCode::MISDIRECTED_REQUEST),
        }
    }
}

/// Whether a trusted proxy says that its client came over TLS.
fn was_secure<B>(request: &Request<B>) -> bool {
    let by_proxy = request.extensions().get::<ClientAddress>().is_some();
    let proto = request.headers().get("x-forwarded-proto").filter(|_| by_proxy);
    proto.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// The response of a site, or one that is ours: that it is elsewhere, or that there is none.
pub(crate) enum ResponseFuture {
    Beacon(beacon::Answer),
    Ours {
        status: StatusCode,
        location: Option<HeaderValue>,
        fields: SaidOf,
    },
    Site {
        response: origin::ResponseFuture,
        fields: SaidOf,
    },
    /// A proof for a certificate authority (RFC 8555, section 8.3).
    Proof(String),
}

impl Future for ResponseFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut response, fields) = match self.get_mut() {
            ResponseFuture::Beacon(answer) => {
                let response = match answer {
                    beacon::Answer::Ready(response) => response.take().unwrap_or_default(),
                    beacon::Answer::Reading(reading) => ready!(reading.poll(cx)),
                };
                return Poll::Ready(Ok(response.map(Body::Bytes)));
            }
            ResponseFuture::Ours { status, location, fields } => {
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = *status;
                response.headers_mut().extend(location.take().map(|location| (LOCATION, location)));
                (response, fields)
            }
            ResponseFuture::Site { response, fields } => {
                let Ok(response) = ready!(Pin::new(response).poll(cx));
                (response.map(Body::Site), fields)
            }
            ResponseFuture::Proof(proof) => {
                let mut response = Response::new(Body::Bytes(std::mem::take(proof).into()));
                let media_type = HeaderValue::from_static("application/octet-stream");
                response.headers_mut().insert(CONTENT_TYPE, media_type);
                return Poll::Ready(Ok(response));
            }
        };
        std::mem::take(fields).write(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

/// The body of a response.
pub(crate) enum Body {
    /// No site answered.
    Empty,
    Bytes(Bytes),
    Site(origin::Body),
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Body::Site(body) => Pin::new(body).poll_frame(cx),
            Body::Bytes(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Bytes(_) | Body::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Site(body) => body.is_end_stream(),
            Body::Bytes(bytes) => bytes.is_empty(),
            Body::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Site(body) => body.size_hint(),
            Body::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Empty => SizeHint::with_exact(0),
        }
    }
}
