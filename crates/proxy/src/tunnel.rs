//! WebSocket and other upgrades: once both sides have agreed, bytes go through.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::header::{self, HeaderValue};
use http::{Response, Version, response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::{Instant, Sleep, sleep_until};

use super::body::Body;
use super::error::Fault;
use super::head;
use super::http2::TunnelStream;
use super::incoming::Incoming;
use super::relay::Checkout;
use super::stats;
use super::upstream::Upstream;

/// Buffer of each direction of a tunnel, bytes.
const BUFFER: usize = 16 << 10;

/// The upstream agreed to change protocols: tells the client so, and joins the two when both have changed.
pub(super) fn open(
    mut head: response::Parts,
    incoming: Incoming,
    client: OnUpgrade,
    checkout: Checkout,
    proxy: &Arc<Upstream>,
) -> Response<Body> {
    let server = server_side(&head, incoming);
    let protocol = head.headers.get(header::UPGRADE).cloned();
    head::remove_hop_by_hop(&mut head.headers);
    head.extensions = http::Extensions::new();
    head.version = Version::HTTP_11;
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(protocol) = protocol {
        head.headers.insert(header::UPGRADE, protocol);
    }
    let proxy = Arc::clone(proxy);
    tokio::spawn(async move {
        let _open = Open::new(&proxy);
        let _checkout = checkout;
        let limit = proxy.config.timeouts.tunnel;
        let both = async { tokio::try_join!(async { client.await.map_err(io::Error::other) }, server) };
        let Ok(Ok((client, mut server))) = tokio::time::timeout(proxy.config.timeouts.head, both).await else {
            proxy.counters.fault(Fault::UpgradeFailed);
            tracing::warn!(upstream = &*proxy.name, "both sides agreed to an upgrade, and it did not come about");
            return;
        };
        let mut client = Idle::new(TokioIo::new(client), limit);
        match copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await {
            Ok((up, down)) => {
                stats::add(&proxy.counters.bytes_up, up);
                stats::add(&proxy.counters.bytes_down, down);
            }
            Err(error) => tracing::debug!(%error, "a tunnel broke off"),
        }
    });
    Response::from_parts(head, Body::known(Bytes::new()))
}

/// The server's side of a tunnel.
type ServerSide = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of HTTP/1.1 becomes the tunnel once its state machine has let go of it; a stream of HTTP/2 is one.
fn server_side(head: &response::Parts, incoming: Incoming) -> BoxFuture<'static, io::Result<ServerSide>> {
    match incoming {
        Incoming::Http1(body) => {
            let upgraded = hyper::upgrade::on(Response::from_parts(head.clone(), body));
            async { Ok(Box::new(TokioIo::new(upgraded.await.map_err(io::Error::other)?)) as ServerSide) }.boxed()
        }
        Incoming::Http2(body) => {
            let stream = TunnelStream::open(body).ok_or(io::ErrorKind::NotConnected);
            async { Ok(Box::new(stream?) as ServerSide) }.boxed()
        }
    }
}

/// A tunnel that is counted while it is open.
struct Open(Arc<Upstream>);

impl Open {
    fn new(proxy: &Arc<Upstream>) -> Self {
        stats::add(&proxy.counters.tunnels, 1);
        Open(Arc::clone(proxy))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.counters.tunnels.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// The client's side of a tunnel, which all bytes pass: fails if none does for too long.
struct Idle<T> {
    io: T,
    limit: Duration,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<T> Idle<T> {
    fn new(io: T, limit: Duration) -> Self {
        let now = Instant::now();
        Idle { io, limit, last: now, timer: Box::pin(sleep_until(now + limit)) }
    }

    /// Notes what passed; when nothing does, waits no longer than allowed.
    fn note<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.last = Instant::now();
            return polled;
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let end = self.last + self.limit;
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Idle<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, into);
        self.note(cx, polled)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Idle<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.note(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
