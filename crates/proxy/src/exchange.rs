//! One request: which server, what is sent, what is tried again, and what the client is answered.

use std::sync::Arc;
use std::task::Poll;

use futures_util::future::poll_fn;
use headstart_policy::{EarlyHints, Share};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::upgrade::OnUpgrade;
use tokio::time::{Duration, Instant, sleep_until};

use super::body::Body;
use super::cache::{Lookup, Noted};
use super::config::HostField;
use super::connection::Connection;
use super::error::Fault;
use super::hints::Heard;
use super::incoming::Incoming;
use super::paths::Known;
use super::relay::{Checkout, InFlight, OpenRequest, Relay, Unread};
use super::send_error::SendError;
use super::server::Server;
use super::upload::{Content, Gate, Upload, Watch};
use super::upstream::Upstream;
use super::{encoding, forwarded, head, hints, prepare, respond, stats, tunnel, websocket};

/// How often one server is asked on another connection because the one before took no request any more.
const MAX_UNSENT: u32 = 3;
/// How long the head of a response may take before its share of what clients do not take is given back.
const SOON: Duration = Duration::from_millis(100);

/// A request that was let in.
pub(super) struct Exchange {
    proxy: Arc<Upstream>,
    share: Arc<Share>,
    /// Of a request with content.
    upload_share: Option<Arc<Share>>,
    /// For a response that comes soon and is not taken at once.
    unread: Option<Share>,
    head: Parts,
    /// `None` if there is no content, or once it was handed over.
    upload: Option<Upload>,
    has_content: bool,
    watch: Arc<Watch>,
    /// The protocol that the client wants to change to.
    upgrade: Option<HeaderValue>,
    heard: Option<Heard>,
    begun: Instant,
    lookup: Option<Lookup>,
}

/// The permits that a request needs before it is let in.
pub(super) struct Permits {
    pub(super) place: Share,
    pub(super) unread: Share,
    /// Of a request with content.
    pub(super) upload: Option<Share>,
}

/// The failure of one attempt.
enum Failed {
    /// Nothing was sent: the connection was closed since its last use. The request is as it was.
    Unsent,
    /// The upload, if there was any, is gone.
    With(Fault),
}

impl Exchange {
    /// Takes a request apart; its head is made ready for the upstream.
    pub(super) fn new(
        proxy: &Arc<Upstream>,
        permits: Permits,
        mut head: Parts,
        host: &str,
        content: Option<Content>,
        mut lookup: Option<Lookup>,
    ) -> Self {
        let has_content = content.is_some();
        let upgrade = head::upgrade(&head, has_content).filter(|_| head.extensions.get::<OnUpgrade>().is_some());
        let config = &proxy.config;
        let watch = Arc::<Watch>::default();
        let expects = head.headers.remove(header::EXPECT).filter(|_| has_content && head.version != Version::HTTP_10);
        let gate = expects.as_ref().map(|_| Arc::<Gate>::default());
        let upload = content.map(|content| {
            let (limit, stall) = (config.limits.max_upload, config.timeouts.body);
            Upload::new(content, limit, stall, gate.clone(), &watch, &proxy.counters)
        });
        let client = head.extensions.remove::<EarlyHints>();
        let listens = client.is_some() || gate.is_some();
        let listener = listens.then(|| Heard::new(client, hints::may_help(&head.headers), gate));
        prepare::prepare(&mut head, host, &proxy.config, upgrade.as_ref(), has_content);
        if let Some(expects) = expects {
            head.headers.insert(header::EXPECT, expects);
        }
        if let Some(lookup) = &mut lookup {
            lookup.make_conditional(&mut head);
        }
        Exchange {
            proxy: Arc::clone(proxy),
            share: Arc::new(permits.place),
            upload_share: permits.upload.map(Arc::new),
            unread: Some(permits.unread),
            head,
            upload,
            has_content,
            watch,
            upgrade,
            heard: listener,
            begun: Instant::now(),
            lookup,
        }
    }

    /// Asks servers until one answers or no more may be asked.
    pub(super) async fn run(mut self) -> Response<Body> {
        let proxy = Arc::clone(&self.proxy);
        let counters = &proxy.counters;
        let mut tried = Vec::new();
        let mut fault = Fault::Refused;
        while let Some(at) = proxy.balance(&tried)
            && let Some(server) = proxy.servers.get(at)
        {
            if !tried.is_empty() {
                stats::add(&counters.retries, 1);
            }
            tried.push(at);
            fault = match self.ask(server).await {
                Ok(response) => return response,
                Err(fault) => fault,
            };
            counters.fault(fault);
            if fault.blames_server() {
                server.failed(fault, self.share.client());
                tracing::debug!(server = %server.address(), fault = fault.name(), "no response");
            }
            if !self.may_repeat(fault) || tried.len() > proxy.config.limits.retries as usize {
                break;
            }
        }
        let instead = self.lookup.take().and_then(|lookup| lookup.failed(&self.head));
        instead.map_or_else(|| respond::fault(&self.head.method, fault), |response| response.map(Body::known))
    }

    /// A request that may have reached a server is repeated only if doing it twice is doing it once, and if it can be
    /// sent twice (RFC 9110, section 9.2.2).
    fn may_repeat(&self, fault: Fault) -> bool {
        let untouched = matches!(fault, Fault::Refused | Fault::ConnectTimeout) && !self.watch.has_begun();
        let idempotent = self.head.method.is_idempotent() && !self.has_content && self.upgrade.is_none();
        fault.blames_server() && ((untouched && (!self.has_content || self.upload.is_some())) || idempotent)
    }

    /// Asks one server. A connection that turns out to be closed costs one more try, on a new one.
    async fn ask(&mut self, server: &Arc<Server>) -> Result<Response<Body>, Fault> {
        let (mut fresh, mut unsent) = (false, 0);
        let at = OpenRequest::new(server);
        loop {
            let mut held = server.connection(fresh, self.upgrade.is_some()).await?;
            let used = held.is_used();
            match self.send(&mut held, server).await {
                Ok(response) => return self.answered(response, held, at),
                Err(Failed::Unsent) if used && unsent < MAX_UNSENT => unsent += 1,
                Err(Failed::Unsent) => return Err(Fault::Closed),
                // The server may have closed it just before.
                Err(Failed::With(Fault::Closed)) if used && !fresh && self.may_repeat(Fault::Closed) => {
                    self.proxy.counters.fault(Fault::Closed);
                    stats::add(&self.proxy.counters.retries, 1);
                }
                Err(Failed::With(fault)) => return Err(fault),
            }
            fresh = true;
        }
    }

    async fn send(&mut self, held: &mut Connection, server: &Server) -> Result<Response<Incoming>, Failed> {
        let mut request = self.request(server, held.is_http2())?;
        if let Some(protocol) = self.upgrade.as_ref().filter(|_| held.is_http2()) {
            if !websocket::is_websocket(protocol) || !held.takes_tunnels().await {
                return Err(Failed::With(Fault::NoUpgrade));
            }
            websocket::ask(&mut request);
        }
        if let Connection::Http1(connection) = held
            && (self.has_content || self.upgrade.is_some())
        {
            connection.detach();
        }
        let limit = self.proxy.config.timeouts.head;
        let error = {
            let heard = self.heard.as_ref().map(|heard| heard.of(&server.paths));
            let sent = held.send(request, heard.as_ref(), Some(&self.share));
            match in_time(&self.watch, limit, &mut self.unread, sent).await {
                Some(Ok(response)) => return Ok(response),
                Some(Err(error)) => error,
                None => return Err(Failed::With(self.watch.fault().unwrap_or(Fault::HeadTimeout))),
            }
        };
        Err(self.failed(error))
    }

    fn failed(&mut self, error: SendError) -> Failed {
        let fault = match error {
            SendError::Unsent(upload) => {
                self.upload = upload.filter(|_| self.has_content);
                if self.upload.is_some() || !self.has_content {
                    return Failed::Unsent;
                }
                Fault::Closed
            }
            SendError::Closed => Fault::Closed,
            SendError::HeadTooLarge => Fault::HeadTooLarge,
            SendError::Malformed => Fault::Malformed,
        };
        Failed::With(self.watch.fault().unwrap_or(fault))
    }

    /// The request as this server gets it.
    fn request(&mut self, server: &Server, http2: bool) -> Result<Request<Upload>, Failed> {
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None if self.has_content => return Err(Failed::With(Fault::Closed)),
            None => Upload::empty(),
        };
        let mut request = Request::new(upload);
        *request.method_mut() = self.head.method.clone();
        *request.headers_mut() = self.head.headers.clone();
        let headers = request.headers_mut();
        match &self.proxy.config.host {
            HostField::Preserve => {}
            HostField::Named(host) => {
                headers.insert(header::HOST, host.clone());
            }
            HostField::Server => {
                if let Some(host) = server.address().host_field() {
                    headers.insert(header::HOST, host);
                }
            }
        }
        let fields = &self.proxy.config.fields;
        for name in &fields.remove {
            headers.remove(name);
        }
        for (name, value) in &fields.set {
            headers.insert(name.clone(), value.clone());
        }
        let target = self.target(server)?;
        if http2 {
            *request.version_mut() = Version::HTTP_2;
            let host = request.headers_mut().remove(header::HOST);
            let authority = host.as_ref().and_then(|host| http::uri::Authority::try_from(host.as_bytes()).ok());
            let mut uri = Uri::builder().scheme(server.scheme());
            uri = uri.authority(authority.unwrap_or_else(|| server.address().authority().clone()));
            let path = target.path_and_query().map_or("/", |path| path.as_str());
            *request.uri_mut() = uri.path_and_query(path).build().map_err(|_| Failed::With(Fault::Malformed))?;
        } else {
            *request.uri_mut() = target;
            // hyper sends none of the content of these methods if nothing says how long it is.
            let headers = request.headers_mut();
            let unusual = matches!(self.head.method, Method::GET | Method::HEAD) && self.has_content;
            if unusual && !headers.contains_key(header::CONTENT_LENGTH) {
                headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
        Ok(request)
    }

    /// The target as this server knows it.
    fn target(&self, server: &Server) -> Result<Uri, Failed> {
        let target = self.head.uri.path_and_query().filter(|target| target.path() != "*" && !server.paths.is_same());
        let Some(target) = target else { return Ok(self.head.uri.clone()) };
        server.paths.to_upstream(target).map(Uri::from).ok_or(Failed::With(Fault::Malformed))
    }

    /// Makes what a response says of fields and paths the client's.
    fn rewrite(&self, headers: &mut HeaderMap, server: &Server) {
        for name in &self.proxy.config.fields.remove_from_responses {
            headers.remove(name);
        }
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let asked = self.head.headers.get(header::HOST).and_then(text);
        let told = match &self.proxy.config.host {
            HostField::Preserve => asked.clone(),
            HostField::Named(host) => text(host),
            HostField::Server => Some(server.address().authority().as_str().to_owned()),
        };
        let known = Known { server: server.address(), told: told.as_deref(), asked: asked.as_deref() };
        server.paths.rewrite(headers, known);
    }

    /// A head came: makes it the client's.
    fn answered(
        &mut self,
        response: Response<Incoming>,
        connection: Connection,
        at: OpenRequest,
    ) -> Result<Response<Body>, Fault> {
        let counters = &self.proxy.counters;
        let (mut head, incoming) = response.into_parts();
        let upgrades = self.upgrade.is_some();
        if head.status == StatusCode::SWITCHING_PROTOCOLS && (!upgrades || connection.is_http2()) {
            return Err(Fault::Malformed);
        }
        if head.status == StatusCode::OK && upgrades && connection.is_http2() {
            websocket::agree(&mut head, self.head.headers.get(header::SEC_WEBSOCKET_KEY));
        } else if head.status == StatusCode::SWITCHING_PROTOCOLS
            && self.upgrade.as_ref().is_some_and(websocket::is_websocket)
            && !websocket::is_answered(&head, self.head.headers.get(header::SEC_WEBSOCKET_KEY))
        {
            tracing::warn!(server = %at.0.address(), "a wrong Sec-WebSocket-Accept: the upgrade is refused");
            return Err(Fault::UpgradeFailed);
        }
        head::settle_framing(head.status, &mut head.headers).map_err(|head::UnknownFraming| Fault::Framing)?;
        at.0.succeeded();
        counters.response(head.status, self.begun.elapsed());
        let place = InFlight { at, share: Arc::clone(&self.share), _upload: self.upload_share.clone() };
        let via = head.version;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let Some(ours) = self.head.extensions.remove::<OnUpgrade>() else { return Err(Fault::Closed) };
            // A tunnel over HTTP/2 keeps its place on the connection; over HTTP/1.1 it is all there is of it.
            let permit = Some(connection).filter(Connection::is_http2);
            return Ok(tunnel::open(head, incoming, ours, Checkout { held: permit, place }, &self.proxy));
        }
        head::remove_hop_by_hop(&mut head.headers);
        self.rewrite(&mut head.headers, &place.at.0);
        head.version = Version::HTTP_11;
        head.extensions = http::Extensions::new();
        if self.proxy.config.forwarding.via {
            forwarded::write_via(&mut head.headers, via);
        }
        if let Some(heard) = &self.heard {
            heard.add_to(&mut head.headers);
        }
        let has_content = !incoming.is_end_stream();
        let recoder = encoding::choose(&self.proxy.config, &self.proxy.encoders, &self.head, &mut head, has_content);
        let noted = self.lookup.take().map_or(Noted::Passes(None), |lookup| lookup.note(&self.head, &head));
        let checkout = Checkout { held: Some(connection), place };
        // A response that is kept is read at the upstream's pace.
        let waits = has_content && matches!(noted, Noted::Passes(None));
        let unread = waits.then(|| Unread::new(&self.proxy.unread, self.unread.take(), self.share.client()));
        let passing = |storing| {
            let relay = Relay::new(incoming, checkout, unread, self.proxy.config.timeouts.body, counters);
            Body::relayed(relay, recoder, storing)
        };
        Ok(match noted {
            Noted::Passes(storing) => Response::from_parts(head, passing(storing)),
            Noted::Answered(response) => {
                // Gives the connection back if nothing follows on it, which is so after a 304.
                drop(passing(None));
                response.map(Body::known)
            }
        })
    }
}

/// Waits for the response's head; the timeout restarts as long as the upload makes progress. `unread` is given back if the
/// head does not come soon: nothing waits for the client then.
async fn in_time<F: Future>(watch: &Watch, limit: Duration, unread: &mut Option<Share>, sent: F) -> Option<F::Output> {
    let begun = Instant::now();
    let first = if unread.is_some() { SOON.min(limit) } else { limit };
    let mut sent = std::pin::pin!(sent);
    let mut timer = std::pin::pin!(sleep_until(begun + first));
    let mut progress = watch.progress();
    poll_fn(|cx| {
        if let Poll::Ready(result) = sent.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        while timer.as_mut().poll(cx).is_ready() {
            if unread.take().is_some() {
                timer.as_mut().reset(begun + limit);
                continue;
            }
            let now = watch.progress();
            if now == progress {
                return Poll::Ready(None);
            }
            progress = now;
            timer.as_mut().reset(Instant::now() + limit);
        }
        Poll::Pending
    })
    .await
}
