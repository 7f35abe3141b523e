//! The engine as a tower layer, for servers that are not ours and for HTTP/1.1: it learns, writes `Link` and the
//! cookie. Pushes and 103 need [`Headstart::serve`](crate::Headstart::serve).

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use headstart_policy::Peer;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::Headstart;
use crate::channels::Channels;
use crate::connection_state::ConnectionState;
use crate::engine::{Engine, now};
use crate::exchange::Exchange;
use crate::observed_body::ObservedBody;
use crate::open_exchange::{OpenExchange, SharedConnection};

impl Headstart {
    /// A tower layer for servers that are not ours: it learns, sets the cookie and `Link: rel=preload`. It needs
    /// [`Peer`](headstart_policy::Peer) in the extensions of requests.
    pub fn layer(&self) -> HeadstartLayer {
        HeadstartLayer { engine: Arc::clone(&self.engine), connection: None }
    }
}

/// Adds learning, `Link: rel=preload` and the cookie to a service. Made by
/// [`Headstart::layer`](crate::Headstart::layer).
#[derive(Clone)]
pub struct HeadstartLayer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) connection: Option<SharedConnection>,
}

/// The service that [`HeadstartLayer`] makes.
#[derive(Clone)]
pub struct HeadstartService<S> {
    inner: S,
    layer: HeadstartLayer,
}

impl fmt::Debug for HeadstartLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadstartLayer").finish_non_exhaustive()
    }
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
        let engine = &self.layer.engine;
        let connection = self.layer.connection.clone().or_else(|| {
            let Peer(remote) = head.extensions.get::<Peer>()?;
            Some(Arc::new(Mutex::new(ConnectionState::new(engine, *remote))))
        });
        let open = connection.and_then(|connection| {
            let mut state = connection.lock().ok()?;
            let mut exchange = Exchange::open(engine, &mut state, Channels::LINK_ONLY, &mut head, now());
            drop(state);
            if let Some(page) = exchange.page() {
                head.extensions.insert(page.decided.clone());
                #[cfg(feature = "markup")]
                page.offer_copy(engine, &mut head);
            }
            Some(OpenExchange::new(Arc::clone(engine), connection, exchange))
        });
        HeadstartFuture { inner: Box::pin(self.inner.call(Request::from_parts(head, body))), open }
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
