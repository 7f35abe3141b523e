//! One HTTP/2 connection, which has a task of its own, and the requests on it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::poll_fn;
use h2::client::{Connection, SendRequest};
use h2::{Ping, PingPong};
use headstart_policy::Share;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::body::Http2Body;
use super::slot::{Shared, Slot};
use super::stream::Stream;
use super::window;
use crate::hints::Heard;
use crate::io::Io;
use crate::send_error::SendError;
use crate::upload::Upload;

/// Requests on one connection; with more another one is made.
const MAX_STREAMS: usize = 64;
/// Whether a server that says nothing is still there, asked while requests are open.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the above is looked at.
const TICK: Duration = Duration::from_secs(5);
/// Windows grow again at most this often; each change is a SETTINGS frame that the server has to acknowledge.
const GROWS_EVERY: Duration = Duration::from_secs(1);
/// How long a server is waited for to send its settings on a new connection, and how often they are looked at, if
/// something depends on them.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// A connection that many requests share.
#[derive(Clone)]
pub(crate) struct Http2 {
    sender: SendRequest<Bytes>,
    shared: Arc<Shared>,
}

/// Leave for one request on a connection.
pub(crate) struct StreamPermit {
    connection: Http2,
    slot: Arc<Slot>,
}

impl Http2 {
    /// Shakes hands, and begins to drive the connection in a task of its own.
    ///
    /// # Errors
    ///
    /// If the connection breaks.
    pub(crate) async fn handshake(io: Io, max_head_bytes: usize) -> Result<Self, h2::Error> {
        let first_window = window::size();
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(first_window)
            .initial_connection_window_size(window::CONNECTION)
            .max_header_list_size(u32::try_from(max_head_bytes).unwrap_or(u32::MAX))
            .max_send_buffer_size(64 << 10)
            .enable_push(false)
            .handshake::<_, Bytes>(io)
            .await?;
        let shared = Arc::new(Shared::new());
        let seen = Arc::clone(&shared);
        let mut driver = Driver::new(connection, Arc::clone(&shared), first_window);
        tokio::spawn(async move {
            if let Err(error) = poll_fn(|cx| driver.poll(cx)).await {
                tracing::debug!(%error, "an HTTP/2 connection to an upstream ended");
            }
            seen.closed.store(true, Ordering::Release);
        });
        Ok(Http2 { sender, shared })
    }

    /// Whether no further request can be sent on it: it has ended, or the server said GOAWAY.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
            || matches!(self.sender.clone().poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_)))
    }

    /// Whether nobody has used it for this long.
    pub(crate) fn is_idle_for(&self, limit: Duration) -> bool {
        self.shared.idle_for().is_some_and(|idle| idle >= limit)
    }

    /// Leave for one more request, unless as many are open as the server or we allow.
    pub(crate) fn permit(&self) -> Option<StreamPermit> {
        if self.is_closed() {
            return None;
        }
        let most = self.sender.current_max_send_streams().min(MAX_STREAMS);
        let slot = Slot::take(&self.shared, most)?;
        Some(StreamPermit { connection: self.clone(), slot: Arc::new(slot) })
    }
}

impl StreamPermit {
    /// Sends a request and waits for the head of the response. `share` is held until the server has nothing more to do
    /// with the request, also where the client has left before.
    pub(crate) async fn send(
        &mut self,
        request: Request<Upload>,
        heard: Option<&Heard>,
        share: Option<Arc<Share>>,
    ) -> Result<Response<Http2Body>, SendError> {
        let (parts, upload) = request.into_parts();
        let mut sender = match self.connection.sender.clone().ready().await {
            Ok(sender) => sender,
            Err(error) => {
                tracing::debug!(%error, "a connection cannot be used any more");
                return Err(SendError::Unsent(Some(upload)));
            }
        };
        let is_tunnel = parts.extensions.get::<h2::ext::Protocol>().is_some();
        let ends = !is_tunnel && upload.is_end_stream();
        let (response, send) = match sender.send_request(Request::from_parts(parts, ()), ends) {
            Ok(sent) => sent,
            Err(error) if error.is_go_away() || error.is_io() => return Err(SendError::Unsent(Some(upload))),
            Err(error) => {
                tracing::debug!(%error, "a request cannot be sent");
                return Err(SendError::Malformed);
            }
        };
        let mut stream = Stream::new(response, Arc::clone(&self.slot), share);
        if is_tunnel {
            stream.keep(send);
        } else if !ends {
            stream.upload(upload, send);
        }
        let response = stream.head(heard).await?;
        let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(response.map(|()| Http2Body::new(stream, length)))
    }

    /// Whether the server takes tunnels (RFC 8441). It says so in its settings, which come with its first bytes.
    pub(crate) async fn takes_tunnels(&self) -> bool {
        while !self.connection.sender.is_extended_connect_protocol_enabled() {
            if self.connection.shared.born.elapsed() >= SETTINGS_TIMEOUT {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }
}

/// Drives a connection: its frames, the windows of its streams, and pings.
struct Driver {
    connection: Connection<Io, Bytes>,
    shared: Arc<Shared>,
    window: u32,
    window_since: Instant,
    pings: Option<PingPong>,
    ticks: Interval,
    last_ping: Instant,
    waits_for_pong: bool,
}

impl Driver {
    fn new(mut connection: Connection<Io, Bytes>, shared: Arc<Shared>, window: u32) -> Self {
        let now = Instant::now();
        let mut ticks = tokio::time::interval_at(now + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let pings = connection.ping_pong();
        Driver { connection, shared, window, window_since: now, pings, ticks, last_ping: now, waits_for_pong: false }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        self.adjust_windows();
        if self.poll_pings(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.connection).poll(cx)
    }

    fn adjust_windows(&mut self) {
        let wanted = window::size();
        let may_change = wanted < self.window || (wanted > self.window && self.window_since.elapsed() >= GROWS_EVERY);
        // Fails while the server has not acknowledged the change before; then the next poll tries again.
        if may_change && self.connection.set_initial_window_size(wanted).is_ok() {
            self.window = wanted;
            self.window_since = Instant::now();
        }
    }

    /// Ready if the server is gone.
    fn poll_pings(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(pings) = &mut self.pings else { return Poll::Pending };
        if self.waits_for_pong && pings.poll_pong(cx).is_ready() {
            self.waits_for_pong = false;
        }
        while self.ticks.poll_tick(cx).is_ready() {
            let waited = self.last_ping.elapsed();
            if self.waits_for_pong && waited >= PING_TIMEOUT {
                tracing::debug!("a server does not answer a ping");
                return Poll::Ready(());
            }
            let is_used = self.shared.idle_for().is_none();
            if is_used && !self.waits_for_pong && waited >= PING_EVERY && pings.send_ping(Ping::opaque()).is_ok() {
                self.last_ping = Instant::now();
                self.waits_for_pong = pings.poll_pong(cx).is_pending();
            }
        }
        Poll::Pending
    }
}
