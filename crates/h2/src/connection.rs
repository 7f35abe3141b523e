//! One connection: the task that owns `h2`, runs the service and makes every promise.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::Handshake;
use headstart_policy::Policy;
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Config;
use crate::driver::{Driver, Start};
use crate::error::{Error, Timeout};
use crate::service::{HttpBody, HttpService};
use crate::tap::Tap;

/// Serves one HTTP/2 connection with the default [`Config`]. See [`serve_connection_with`].
pub fn serve_connection<T, S, B, P>(io: T, service: S, policy: P) -> Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    serve_connection_with(Config::default(), io, service, policy)
}

/// Serves one HTTP/2 connection: `io` is any byte stream after TLS and ALPN (or, for prior knowledge, TCP).
///
/// The returned future is the connection's one task. It drives the protocol, runs the service's futures and
/// bodies, and makes promises; nothing is spawned. **Handlers of one connection share one task**: a handler that
/// computes for long without awaiting delays the other streams of its connection, and only of its connection.
/// A handler that panics loses its own stream.
///
/// The service is cloned for each request; `poll_ready` is awaited on the clone.
///
/// # Panics
///
/// Outside a tokio runtime with its time driver enabled.
///
/// # Errors
///
/// The future ends with an error if the client broke the protocol, the socket failed or a timer of [`Config`]
/// ran out. It ends with `Ok` when either side closed the connection in good order.
pub fn serve_connection_with<T, S, B, P>(config: Config, io: T, service: S, policy: P) -> Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    let (tap, wire) = Tap::new(io, config.buffered_io);
    let handshake = config.builder().handshake(tap);
    let timer = Box::pin(sleep_until(Instant::now() + config.handshake_timeout));
    let start = Some(Start { began: Instant::now(), config, wire, service, policy });
    Connection { state: State::Handshake(Box::new(Opening { handshake, start })), timer, shutdown: false }
}

/// The future of one connection, made by [`serve_connection`].
#[must_use = "a connection is served by polling it"]
pub struct Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    state: State<T, S, B, P>,
    /// The only timer of the connection; the driver moves it.
    timer: Pin<Box<Sleep>>,
    shutdown: bool,
}

enum State<T, S, B, P>
where
    B: Body,
    P: Policy,
{
    Handshake(Box<Opening<T, S, P>>),
    Serving(Box<Driver<T, S, B, P>>),
    Over,
}

struct Opening<T, S, P> {
    handshake: Handshake<Tap<T>, Bytes>,
    start: Option<Start<S, P>>,
}

impl<T, S, B, P> Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    /// Takes no new requests and makes no new promises, finishes what is under way and closes (GOAWAY, RFC 9113
    /// section 6.8). Keep polling the connection.
    pub fn graceful_shutdown(&mut self) {
        self.shutdown = true;
        if let State::Serving(driver) = &mut self.state {
            driver.graceful_shutdown();
        }
    }
}

impl<T, S, B, P> Future for Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let connection = self.get_mut();
        loop {
            let result = match &mut connection.state {
                State::Handshake(opening) => match Pin::new(&mut opening.handshake).poll(cx) {
                    Poll::Ready(Ok(h2)) => {
                        let Some(start) = opening.start.take() else { return Poll::Pending };
                        let mut driver = Box::new(Driver::new(h2, start));
                        if connection.shutdown {
                            driver.graceful_shutdown();
                        }
                        connection.state = State::Serving(driver);
                        continue;
                    }
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
                    Poll::Pending => match connection.timer.as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(Err(Error::timeout(Timeout::Handshake))),
                        Poll::Pending => Poll::Pending,
                    },
                },
                State::Serving(driver) => driver.poll(cx, connection.timer.as_mut()),
                State::Over => return Poll::Pending,
            };
            if result.is_ready() {
                connection.state = State::Over;
            }
            return result;
        }
    }
}

impl<T, S, B, P> fmt::Debug for Connection<T, S, B, P>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: HttpService<B>,
    B: HttpBody,
    P: Policy,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Handshake(_) => "handshake",
            State::Serving(_) => "serving",
            State::Over => "over",
        };
        f.debug_struct("Connection").field("state", &state).field("shutdown", &self.shutdown).finish_non_exhaustive()
    }
}
