//! One connection: who it is, TLS, ALPN, and the protocol that was agreed on.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::Headstart;
use crate::admission::ConnectionPermit;
use crate::connection_state::ConnectionState;
use crate::connections::ConnectionCounters;
use crate::layer::HeadstartLayer;
#[cfg(feature = "markup")]
use crate::reading::Copying;

use super::body::Body;
use super::buffered_tls::BufferedTls;
use super::connection::{Connection, OnConnection};
use super::dynamic_records::DynamicRecords;
use super::proxy_protocol;
use super::smuggling_guard::SmugglingGuard;
use super::timed_io::{IoTimeouts, TimedIo};
use super::websocket::Bridge;
use super::with_peer::WithPeer;

/// Time for a PROXY header and for the TLS handshake; over HTTP/1.1 for the first byte, and then for each request head,
/// from the end of the last response on.
const HANDSHAKE: Duration = Duration::from_secs(5);
const HTTP1_HEAD: Duration = Duration::from_secs(10);
/// How HTTP/2 with prior knowledge begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that was accepted.
pub(crate) struct Accepted<S> {
    pub(crate) headstart: Headstart,
    pub(crate) service: S,
    pub(crate) remote: SocketAddr,
    pub(crate) permit: ConnectionPermit,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) on_connection: Option<OnConnection<S>>,
    pub(crate) balancers: Arc<[IpNet]>,
}

/// Counts a connection when it begins and when it ends, even by a panic.
struct Counted(Headstart);

impl Counted {
    fn new(headstart: &Headstart) -> Self {
        ConnectionCounters::count(&headstart.connections.counters.accepted);
        Counted(headstart.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ConnectionCounters::count(&self.0.connections.counters.ended);
    }
}

impl<S, B> Accepted<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
{
    /// What follows the handshake is boxed: else the task of every connection would be as large as the largest way
    /// that one can go, 8 KB.
    pub(crate) async fn serve(mut self, mut socket: TcpStream, tls: Option<TlsAcceptor>) {
        let _counted = Counted::new(&self.headstart);
        if self.balancers.iter().any(|network| network.contains(&self.remote.ip().to_canonical())) {
            match handshake(&mut self.stopping, proxy_protocol::read(&mut socket)).await {
                Some(Ok(client)) => self.remote = client.unwrap_or(self.remote),
                Some(Err(error)) => {
                    tracing::warn!(balancer = %self.remote, %error, "a balancer did not say for whom it connects");
                    return;
                }
                None => return,
            }
        }
        let remote = self.remote;
        let proxies = &self.headstart.engine.proxies;
        if !proxies.trusts(remote.ip()) && !self.permit.belongs_to(remote.ip()) {
            tracing::warn!(address = %remote.ip(), "an address has its share of the connections");
            return;
        }
        let Some(tls) = tls else {
            match handshake(&mut self.stopping, speaks_http2(&socket)).await {
                Some(Ok(true)) => Box::pin(self.announced(None).http2(socket, false)).await,
                Some(Ok(false)) => Box::pin(self.announced(None).http1(socket, false)).await,
                _ => self.failed(|| tracing::debug!(%remote, "the client said nothing")),
            }
            return;
        };
        if handshake(&mut self.stopping, speaks_cleartext(&socket)).await == Some(true) {
            self.failed(|| tracing::debug!(%remote, "the client speaks HTTP without TLS"));
            let _ = timeout(HANDSHAKE, socket.write_all(WITHOUT_TLS.as_bytes())).await;
            return linger(socket).await;
        }
        match handshake(&mut self.stopping, Box::pin(tls.accept(socket))).await {
            Some(Ok(mut stream)) => {
                let session = stream.get_mut().1;
                let http2 = session.alpn_protocol() == Some(b"h2");
                let this = self.announced(session.server_name());
                if http2 {
                    Box::pin(this.http2(DynamicRecords::new(BufferedTls::new(stream)), true)).await;
                } else {
                    Box::pin(this.http1(DynamicRecords::new(stream), true)).await;
                }
            }
            Some(Err(error)) => self.failed(|| tracing::debug!(%remote, %error, "the TLS handshake failed")),
            None => self.failed(|| tracing::debug!(%remote, "the TLS handshake took too long")),
        }
    }

    fn failed(&self, say: impl FnOnce()) {
        ConnectionCounters::count(&self.headstart.connections.counters.handshakes_failed);
        say();
    }

    /// Tells the service whom it will answer.
    fn announced(mut self, server_name: Option<&str>) -> Self {
        if let Some(call) = self.on_connection.take() {
            call(&mut self.service, &Connection { remote: self.remote, server_name });
        }
        self
    }

    async fn http2<T: AsyncRead + AsyncWrite + Unpin>(self, mut io: T, tls: bool) {
        let Accepted { headstart, service, remote, permit, mut stopping, .. } = self;
        let policy = headstart.policy(remote).counted(permit.activity());
        let mut config = headstart.connections.h2.clone();
        config.buffered_io = tls;
        #[cfg(feature = "markup")]
        let service = Copying(service);
        let service = Bridge(WithPeer { service, remote, tls });
        let mut connection = headstart_h2::serve_connection_with(config, &mut io, service, policy);
        let result = tokio::select! {
            result = &mut connection => result,
            () = asked_to_close(&mut stopping, permit.close_requested()) => {
                connection.graceful_shutdown();
                (&mut connection).await
            }
        };
        drop(connection);
        match result {
            Ok(()) => linger(io).await,
            Err(error) => {
                headstart.connections.counters.broke_off(&error);
                tracing::debug!(%remote, %error, "the connection broke off");
            }
        }
    }

    async fn http1<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: T, tls: bool) {
        let Accepted { headstart, service, remote, permit, mut stopping, .. } = self;
        let engine = &headstart.engine;
        let close_requested = permit.close_requested();
        let mut state = ConnectionState::new(engine, remote);
        state.activity = Some(permit.activity());
        let state = Arc::new(Mutex::new(state));
        let layer = HeadstartLayer { engine: Arc::clone(engine), connection: Some(Arc::clone(&state)) };
        #[cfg(feature = "markup")]
        let service = Copying(service);
        let service = layer.layer(WithPeer { service, remote, tls });
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HTTP1_HEAD);
        // The protocol that follows an upgrade keeps the permit, and a shutdown waits for it.
        let timeouts = IoTimeouts { first_read: HTTP1_HEAD, write: headstart.connections.h2.write_stall_timeout };
        let io = TokioIo::new(TimedIo::new(SmugglingGuard::new(io), timeouts, (permit, stopping.clone())));
        let mut connection = pin!(builder.serve_connection_with_upgrades(io, TowerToHyperService::new(service)));
        let result = tokio::select! {
            result = &mut connection => result,
            () = asked_to_close(&mut stopping, close_requested) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%remote, %error, "the connection broke off");
        }
        if let Ok(state) = state.lock() {
            engine.learner.disconnect(state.id);
        }
    }
}

/// Whether the client says words where a TLS record is expected, whose first byte is no letter (RFC 8446, section 5.1).
async fn speaks_cleartext(socket: &TcpStream) -> bool {
    let mut first = [0; 1];
    matches!(socket.peek(&mut first).await, Ok(1)) && first.iter().all(u8::is_ascii_alphabetic)
}

/// What such a client is told.
const WITHOUT_TLS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 194\r\n\
    cache-control: no-store\r\nconnection: close\r\n\r\n\
    <!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>400 Bad Request</title>\n\
    <p>A request without TLS came to a port that speaks HTTPS. Write https:// in front of the address.</p></html>\n";

/// Takes in what a client still says after the end. Closing a socket with bytes unread resets it (RFC 9293, section
/// 3.10.4), and a reset throws away responses that the client has not read yet.
async fn linger<T: AsyncRead + AsyncWrite + Unpin>(mut io: T) {
    let rest = async {
        let _ = io.shutdown().await;
        let mut unread = [0; 4096];
        for _ in 0..MAX_UNREAD {
            if !matches!(io.read(&mut unread).await, Ok(1..)) {
                return;
            }
        }
    };
    let _ = timeout(LINGER, rest).await;
}

/// How long what a client still says is taken in at the end, and how many reads of it.
const LINGER: Duration = Duration::from_secs(1);
const MAX_UNREAD: usize = 64;

/// What a connection needs before its first request, in its time and while the server runs: who has not asked yet
/// does not delay a shutdown.
async fn handshake<T>(stopping: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = timeout(HANDSHAKE, work) => done.ok(),
        () = stop(stopping) => None,
    }
}

/// Completes when the server stops.
async fn stop(stopping: &mut watch::Receiver<bool>) {
    // The sender outlives the connections.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Completes when the server stops, or needs the slot for others.
async fn asked_to_close(stopping: &mut watch::Receiver<bool>, close_requested: impl Future<Output = ()>) {
    tokio::select! {
        () = stop(stopping) => {}
        () = close_requested => {}
    }
}

/// Whether a cleartext client begins with the HTTP/2 preface.
async fn speaks_http2(socket: &TcpStream) -> io::Result<bool> {
    let mut start = [0; PREFACE.len()];
    let mut pause = Duration::from_millis(1);
    loop {
        let seen = socket.peek(&mut start).await?;
        let begins = start.get(..seen).unwrap_or_default();
        if seen == 0 || !PREFACE.starts_with(begins) {
            return Ok(false);
        }
        if seen == PREFACE.len() {
            return Ok(true);
        }
        // `peek` reports the same bytes at once; the rest is on its way.
        // Ever longer, so that one who sends half of it keeps nobody busy.
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(Duration::from_millis(200));
    }
}
