//! The engine as a tower layer, for servers that are not ours and for HTTP/1.1.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, ready};

use headstart_learn::ConnectionId;
use headstart_policy::{EarlyHints, Peer};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::Headstart;
use crate::channels::Channels;
use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::observed_body::ObservedBody;
use crate::open_exchange::{OpenExchange, SharedConnection};
use crate::unlearned::Unlearned;

impl Headstart {
    /// A tower layer for servers that are not ours: it learns, sets the cookie and `Link: rel=preload`.
    ///
    /// **Pushes need [`Headstart::serve`].** A 103 goes out where the server offers a way: `hyper` has none for servers, so
    /// under `axum::serve` there is `Link` only; the driver of `headstart-h2` puts
    /// [`EarlyHints`](headstart_policy::EarlyHints) into the extensions of requests, which is used; for other servers
    /// see [`HeadstartLayer::early_hints`].
    ///
    /// **The layer has to know the client's address**, because what one client loads is no evidence of what all need. It
    /// is read from [`Peer`](headstart_policy::Peer), with the feature `axum` from `ConnectInfo<SocketAddr>` (serve
    /// `app.into_make_service_with_connect_info::<SocketAddr>()`), or by a
    /// [closure](HeadstartLayer::client_address). Requests without it pass unchanged, and one warning says so;
    /// [`Headstart::unlearned`] counts them.
    pub fn layer(&self) -> HeadstartLayer {
        HeadstartLayer { engine: Arc::clone(&self.engine), connection: None, options: Options::default() }
    }
}

/// Adds learning, `Link: rel=preload` and the cookie to a service. Made by
/// [`Headstart::layer`](crate::Headstart::layer).
#[derive(Clone)]
pub struct HeadstartLayer {
    engine: Arc<Engine>,
    /// Of a server of ours.
    connection: Option<SharedConnection>,
    options: Options,
}

/// Facts of requests on a server that is not ours.
#[derive(Clone, Default)]
struct Options {
    address: Option<Arc<AddressOf>>,
    early_hints: Option<Arc<SendEarlyHints>>,
    warnings: Arc<Warnings>,
}

type AddressOf = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;
type SendEarlyHints = dyn Fn(&Parts, HeaderMap) + Send + Sync;

/// Each is said once, by the first clone that meets its reason.
struct Warnings {
    no_address: Once,
    second_layer: Once,
}

impl Default for Warnings {
    fn default() -> Self {
        Warnings { no_address: Once::new(), second_layer: Once::new() }
    }
}

/// Marks a request that a layer has seen.
#[derive(Clone, Copy)]
struct Seen;

impl HeadstartLayer {
    /// The layer of one connection of a server of ours.
    #[cfg(feature = "serve")]
    pub(crate) fn of_connection(engine: Arc<Engine>, connection: SharedConnection) -> Self {
        HeadstartLayer { engine, connection: Some(connection), options: Options::default() }
    }

    /// Reads the address of a request's client: for servers that tell it in a way of their own. `None` leaves the request
    /// alone. Take an address from a field such as `X-Forwarded-For` only if a proxy of yours has written it; better,
    /// name that proxy with [`Builder::trusted_proxies`](crate::Builder::trusted_proxies).
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use headstart::Headstart;
    ///
    /// let headstart = Headstart::builder().build()?;
    /// let layer = headstart.layer().client_address(|head| Some(head.extensions.get::<SocketAddr>()?.ip()));
    /// # let _ = layer;
    /// # Ok::<(), headstart::BuildError>(())
    /// ```
    #[must_use]
    pub fn client_address(mut self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.options.address = Some(Arc::new(address));
        self
    }

    /// Sends a 103 (Early Hints) with these fields ahead of the response to this request: for servers that can. It is
    /// called at most once for each request, before the service is.
    #[must_use]
    pub fn early_hints(mut self, send: impl Fn(&Parts, HeaderMap) + Send + Sync + 'static) -> Self {
        self.options.early_hints = Some(Arc::new(send));
        self
    }

    /// The state of the connection of a request, if its client is known.
    fn connection(&self, head: &mut Parts) -> Option<SharedConnection> {
        if let Some(connection) = &self.connection {
            return Some(Arc::clone(connection));
        }
        let Warnings { no_address, second_layer } = &*self.options.warnings;
        if head.extensions.insert(Seen).is_some() || is_served_by_us(head) {
            second_layer.call_once(|| {
                tracing::warn!(
                    "Headstart::layer is inside of Headstart::serve or of another layer of its kind, which do the same: \
                     it does nothing; remove it"
                );
            });
            return None;
        }
        let Some(address) = self.address(head) else {
            self.engine.unlearned.count(Unlearned::NoAddress);
            no_address.call_once(|| {
                tracing::warn!(
                    "requests come without the address of their client: nothing is learned from them. Insert \
                     headstart::policy::Peer into their extensions; or, with the feature `axum`, serve \
                     `into_make_service_with_connect_info::<SocketAddr>()`; or set HeadstartLayer::client_address"
                );
            });
            return None;
        };
        let mut state = ConnectionState::new(&self.engine, address);
        // One connection has one client address with its port. Where the port is not known, requests of one address and
        // user agent count as one connection.
        let client = self.engine.identities.client(address.ip(), &head.headers);
        state.id = ConnectionId::new(client.get().wrapping_add(u64::from(address.port())) | FOREIGN);
        Some(Arc::new(Mutex::new(state)))
    }

    fn address(&self, head: &Parts) -> Option<SocketAddr> {
        if let Some(address) = &self.options.address {
            return address(head).map(|address| SocketAddr::new(address, 0));
        }
        let peer = head.extensions.get().map(|Peer(address)| *address);
        #[cfg(feature = "axum")]
        let peer = peer.or_else(|| head.extensions.get().map(|axum::extract::ConnectInfo(address)| *address));
        peer
    }

    /// How a 103 can be sent ahead of the response to a request.
    fn way_of_early_hints(&self, head: &Parts) -> Option<Way> {
        let closure = self.options.early_hints.clone().map(Way::Closure);
        closure.or_else(|| head.extensions.get::<EarlyHints>().cloned().map(Way::Transport))
    }
}

/// Numbers of connections of other servers have this bit; ours are counted from 1.
const FOREIGN: u64 = 1 << 63;

enum Way {
    Closure(Arc<SendEarlyHints>),
    Transport(EarlyHints),
}

impl Way {
    fn send(&self, head: &Parts, fields: HeaderMap) {
        match self {
            Way::Closure(send) => send(head, fields),
            // `false` says that the handler of another layer was first.
            Way::Transport(early_hints) => drop(early_hints.send(fields)),
        }
    }
}

#[cfg(feature = "serve")]
fn is_served_by_us(head: &Parts) -> bool {
    head.extensions.get::<crate::connection::Connection>().is_some()
}

#[cfg(not(feature = "serve"))]
fn is_served_by_us(_: &Parts) -> bool {
    false
}

impl fmt::Debug for HeadstartLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadstartLayer").finish_non_exhaustive()
    }
}

/// The service that [`HeadstartLayer`] makes.
#[derive(Clone)]
pub struct HeadstartService<S> {
    inner: S,
    layer: HeadstartLayer,
}

impl<S> fmt::Debug for HeadstartService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadstartService").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HeadstartLayer {
    type Service = HeadstartService<S>;

    fn layer(&self, inner: S) -> HeadstartService<S> {
        HeadstartService { inner, layer: self.clone() }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for HeadstartService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<ObservedBody<ResBody>>;
    type Error = S::Error;
    type Future = HeadstartFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> HeadstartFuture<S::Future> {
        let (mut head, body) = request.into_parts();
        let open = self.layer.connection(&mut head).and_then(|connection| self.layer.open(connection, &mut head));
        HeadstartFuture { inner: Box::pin(self.inner.call(Request::from_parts(head, body))), open }
    }
}

impl HeadstartLayer {
    fn open(&self, connection: SharedConnection, head: &mut Parts) -> Option<OpenExchange> {
        let way = if self.connection.is_none() { self.way_of_early_hints(head) } else { None };
        let channels = Channels { early_hints: way.is_some(), ..Channels::LINK_ONLY };
        let mut state = connection.lock().ok()?;
        let mut exchange = Exchange::open(&self.engine, &mut state, channels, head, self.engine.now());
        drop(state);
        if let Some(page) = exchange.page() {
            head.extensions.insert(page.decided.clone());
            #[cfg(feature = "markup")]
            page.offer_copy(&self.engine, head);
            if let (Some(way), Some(fields)) = (way, page.early_hints()) {
                way.send(head, fields);
            }
        }
        Some(OpenExchange::new(Arc::clone(&self.engine), connection, exchange))
    }
}

/// The future of [`HeadstartService`].
pub struct HeadstartFuture<F> {
    inner: Pin<Box<F>>,
    open: Option<OpenExchange>,
}

impl<F> fmt::Debug for HeadstartFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadstartFuture").finish_non_exhaustive()
    }
}

impl<F, B, E> Future for HeadstartFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ObservedBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.inner.as_mut().poll(cx))?;
        let (mut head, body) = response.into_parts();
        let mut open = self.open.take();
        if let Some(open) = &mut open {
            open.answered(&mut head, body.size_hint().exact());
        }
        Poll::Ready(Ok(Response::from_parts(head, ObservedBody::new(body, open))))
    }
}
