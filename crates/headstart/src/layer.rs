//! The engine as a tower layer, for servers that are not ours and for HTTP/1.1: it learns, writes `Link` and the
//! cookie. Pushes and 103 need [`Headstart::serve`](crate::Headstart::serve).

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use headstart_policy::Peer;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::Headstart;
use crate::channels::Channels;
use crate::connection_state::ConnectionState;
use crate::engine::{Engine, now};
use crate::exchange::Exchange;
use crate::response as answer;

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

/// Requests of an HTTP/1.1 connection come one after another; the lock is never waited for.
pub(crate) type SharedConnection = Arc<Mutex<ConnectionState>>;

/// The service that [`HeadstartLayer`] makes.
#[derive(Clone)]
pub struct HeadstartService<S> {
    inner: S,
    layer: HeadstartLayer,
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
{
    type Response = Response<ResBody>;
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
            }
            Some(Open { engine: Arc::clone(engine), connection, exchange: Some(exchange) })
        });
        HeadstartFuture { inner: Box::pin(self.inner.call(Request::from_parts(head, body))), open }
    }
}

/// An exchange under way; one that is dropped before it was answered is told to the learner.
struct Open {
    engine: Arc<Engine>,
    connection: SharedConnection,
    exchange: Option<Exchange>,
}

impl Open {
    fn answered(&mut self, head: &mut http::response::Parts) {
        let (Some(exchange), Ok(mut connection)) = (&mut self.exchange, self.connection.lock()) else {
            return;
        };
        let now = now();
        exchange.answered(&self.engine, head, None, now);
        if let Some(page) = exchange.page()
            && answer::is_page(head)
        {
            page.read_named(&connection, head);
            page.commit(&self.engine, &mut connection, head, &[]);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let (Some(exchange), Ok(mut connection)) = (self.exchange.take(), self.connection.lock()) {
            // Whether the body arrives is not seen from here; an asset of which a part is missing is asked for again.
            exchange.ended(&self.engine, &mut connection, true);
        }
    }
}

/// The future of [`HeadstartService`].
pub struct HeadstartFuture<F> {
    inner: Pin<Box<F>>,
    open: Option<Open>,
}

impl<F, B, E> Future for HeadstartFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.inner.as_mut().poll(cx))?;
        let (mut head, body) = response.into_parts();
        if let Some(mut open) = self.open.take() {
            open.answered(&mut head);
        }
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}
