//! One connection: who it is, TLS, ALPN, and the protocol that was agreed on.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer as _;

use crate::Headstart;
use crate::admission::ConnectionPermit;
use crate::connection_state::ConnectionState;
use crate::connections::ConnectionCounters;
use crate::layer::HeadstartLayer;
#[cfg(feature = "markup")]
use crate::reading::Copying;

use super::buffered_tls::BufferedTls;
use super::closable::Closable;
use super::dynamic_records::DynamicRecords;
use super::fair::Fair;
use super::granted::{Granted, WatchesChanges};
use super::half_close::HalfClose;
use super::make_service::MakeConnectionService;
use super::prefixed::Prefixed;
use super::proxy_protocol;
use super::smuggling_guard::SmugglingGuard;
use super::timed_io::{IoTimeouts, TimedIo};
use super::websocket::Bridge;
use super::with_connection::WithConnection;
use crate::connection::{Connection, TlsInfo};

/// Time for a PROXY header and for the TLS handshake; over HTTP/1.1 for the first byte, and then for each request head,
/// from the end of the last response on.
const HANDSHAKE: Duration = Duration::from_secs(5);
const HTTP1_HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request head over HTTP/1.1, unless HTTP/2 may have larger ones: a larger head is answered with 431. hyper alone
/// would keep 400 KiB of it. What is read of content at once is bounded by it too, so that it is not the 16 KiB of HTTP/2.
const HTTP1_HEAD_BYTES: usize = 64 << 10;
/// How HTTP/2 with prior knowledge begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that was accepted.
pub(super) struct Accepted<M> {
    pub(super) headstart: Headstart,
    pub(super) make: M,
    pub(super) connection: Connection,
    pub(super) permit: ConnectionPermit,
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) balancers: Arc<[IpNet]>,
}

/// The service of a connection, with what reads its pages.
#[cfg(feature = "markup")]
type Prepared<S> = Copying<Fair<S>>;
#[cfg(not(feature = "markup"))]
type Prepared<S> = Fair<S>;

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

impl<M: MakeConnectionService> Accepted<M> {
    /// The work after the handshake is boxed: else the task of every connection would be as large as the largest way
    /// that one can go, 8 KB.
    pub(super) async fn serve<T>(mut self, mut io: T, tls: Option<TlsAcceptor>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let _counted = Counted::new(&self.headstart);
        let mut remote = self.connection.remote();
        if self.balancers.iter().any(|network| network.contains(&remote.ip().to_canonical())) {
            match handshake(&mut self.stopping, proxy_protocol::read(&mut io)).await {
                Some(Ok(client)) => remote = client.unwrap_or(remote),
                Some(Err(error)) => {
                    tracing::warn!(balancer = %remote, %error, "a balancer did not say for whom it connects");
                    return;
                }
                None => return,
            }
            self.connection = self.connection.with_remote(remote);
        }
        let proxies = &self.headstart.engine.proxies;
        if !proxies.trusts(remote.ip()) && !self.permit.belongs_to(remote.ip()) {
            tracing::warn!(address = %remote.ip(), "an address has its share of the connections");
            return;
        }
        let Some(tls) = tls else {
            let mut io = Prefixed::none(io);
            let agreed = self.connection.tls().and_then(|tls| tls.alpn.as_deref()).map(|alpn| alpn == b"h2");
            let http2 = match agreed {
                Some(http2) => Some(Ok(http2)),
                None => handshake(&mut self.stopping, io.begins_with(PREFACE)).await,
            };
            match http2 {
                Some(Ok(true)) => Box::pin(self.http2(io, false)).await,
                Some(Ok(false)) => Box::pin(self.http1(io)).await,
                _ => self.failed(|| tracing::debug!(%remote, "the client said nothing")),
            }
            return;
        };
        let mut io = Prefixed::none(io);
        // A TLS record does not begin with a letter (RFC 8446, section 5.1), a request in cleartext does.
        let first = handshake(&mut self.stopping, io.first()).await;
        if let Some(Ok(Some(b'A'..=b'Z' | b'a'..=b'z'))) = first {
            self.failed(|| tracing::debug!(%remote, "the client speaks HTTP without TLS"));
            let _ = timeout(HANDSHAKE, io.write_all(WITHOUT_TLS.as_bytes())).await;
            return linger(io, stop(&mut self.stopping)).await;
        }
        match handshake(&mut self.stopping, Box::pin(tls.accept(io))).await {
            Some(Ok(stream)) => {
                let (http2, tls) = agreed(stream.get_ref().1);
                self.connection = self.connection.with_tls(tls);
                if http2 {
                    Box::pin(self.http2(DynamicRecords::new(BufferedTls::new(stream)), true)).await;
                } else {
                    Box::pin(self.http1(DynamicRecords::new(stream))).await;
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

    /// The service for this connection; `None`, which ends it, if none could be made.
    async fn made(
        headstart: &Headstart,
        make: M,
        connection: Connection,
    ) -> Option<WithConnection<Prepared<M::Service>>> {
        match make.make(&connection).await {
            Ok(service) => {
                let service = Fair { service, shares: Arc::clone(&headstart.connections.requests) };
                #[cfg(feature = "markup")]
                let service = Copying(service);
                Some(WithConnection { service, connection })
            }
            Err(error) => {
                tracing::warn!(remote = %connection.remote(), %error, "no service could be made for a connection");
                None
            }
        }
    }

    /// `buffered` says that writes cost nothing until the stream is flushed.
    async fn http2<T: AsyncRead + AsyncWrite + Unpin>(self, mut io: T, buffered: bool) {
        let Accepted { headstart, make, connection, permit, stopping, .. } = self;
        let remote = connection.remote();
        let policy = headstart.policy(remote).counted(permit.activity());
        let mut config = headstart.connections.h2.clone();
        config.buffered_io = buffered;
        config.max_concurrent_streams = permit.streams(config.max_concurrent_streams);
        let Some(service) = Self::made(&headstart, make, connection).await else { return };
        let mut driver = headstart_h2::serve_connection_with(config, &mut io, Bridge(service), policy);
        let mut hurry = Hurry::new(stopping, permit.close_requested());
        let result = tokio::select! {
            result = &mut driver => result,
            () = hurry.is_asked() => {
                driver.graceful_shutdown();
                (&mut driver).await
            }
        };
        drop(driver);
        match result {
            Ok(()) => linger(io, hurry.is_asked()).await,
            Err(error) => {
                headstart.connections.counters.broke_off(&error);
                tracing::debug!(%remote, %error, "the connection broke off");
                // A reset would throw away the GOAWAY that says why, and responses before it.
                if error.is_protocol() {
                    linger(io, hurry.is_asked()).await;
                }
            }
        }
    }

    async fn http1<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: T) {
        let Accepted { headstart, make, connection, permit, stopping, .. } = self;
        let remote = connection.remote();
        let engine = &headstart.engine;
        let mut hurry = Hurry::new(stopping.clone(), permit.close_requested());
        let mut state = ConnectionState::new(engine, remote);
        state.activity = Some(permit.activity());
        let state = Arc::new(Mutex::new(state));
        let Some(service) = Self::made(&headstart, make, connection).await else { return };
        let service = HeadstartLayer::of_connection(Arc::clone(engine), Arc::clone(&state)).layer(service);
        let granted = Granted::default();
        let service = WatchesChanges { service, granted: granted.clone() };
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        let head_bytes = HTTP1_HEAD_BYTES.max(headstart.connections.h2.max_header_list_bytes as usize);
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HTTP1_HEAD).max_buf_size(head_bytes);
        // The protocol that follows an upgrade keeps the permit, and a shutdown waits for it.
        let timeouts = IoTimeouts { first_read: HTTP1_HEAD, write: headstart.connections.h2.write_stall_timeout };
        let io = HalfClose::new(SmugglingGuard::new(io, granted.clone()), permit.activity());
        let io = TimedIo::new(io, timeouts, (permit, stopping));
        let (io, closer) = Closable::new(io);
        let service = TowerToHyperService::new(service);
        let mut driver = pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), service));
        let result = tokio::select! {
            result = &mut driver => result,
            () = hurry.is_asked() => {
                driver.as_mut().graceful_shutdown();
                driver.await
            }
        };
        if let Err(error) = &result {
            tracing::debug!(%remote, %error, "the connection broke off");
        }
        if let Ok(state) = state.lock() {
            engine.learner.disconnect(state.id);
        }
        // A change that was asked for and not granted leaves the connection to whoever holds that request.
        if !granted.is_set()
            && let Some(io) = closer.take()
        {
            linger(io, hurry.is_asked()).await;
        }
    }
}

/// The answer to a request without TLS where TLS is expected.
const WITHOUT_TLS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 194\r\n\
    cache-control: no-store\r\nconnection: close\r\n\r\n\
    <!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>400 Bad Request</title>\n\
    <p>A request without TLS came to a port that speaks HTTPS. Write https:// in front of the address.</p></html>\n";

/// The results of a handshake, and whether the protocol is HTTP/2.
fn agreed(session: &rustls::ServerConnection) -> (bool, TlsInfo) {
    let alpn = session.alpn_protocol();
    let certificates = session.peer_certificates().unwrap_or_default();
    let tls = TlsInfo {
        server_name: session.server_name().map(Arc::from),
        alpn: alpn.map(Arc::from),
        client_certificates: certificates.iter().map(|certificate| certificate.clone().into_owned()).collect(),
    };
    (alpn == Some(b"h2"), tls)
}

/// Takes in what a client still says after the end. Closing a socket with bytes unread resets it (RFC 9293, section
/// 3.10.4), and a reset throws away responses that the client has not read yet. When `hurry` completes, since others need the
/// place or the server stops, there is a second left.
async fn linger<T: AsyncRead + AsyncWrite + Unpin>(mut io: T, hurry: impl Future<Output = ()>) {
    if timeout(LINGER, io.shutdown()).await.is_err() {
        return;
    }
    let mut unread = vec![0; 16 << 10];
    let talk = async { while matches!(timeout(LINGER, io.read(&mut unread)).await, Ok(Ok(1..))) {} };
    let mut talk = pin!(timeout(LINGER_AT_MOST, talk));
    tokio::select! {
        _ = &mut talk => {}
        () = hurry => drop(timeout(LINGER, talk).await),
    }
}

/// How long a client may be silent at the end, and how long it may go on with what nobody wants, such as an upload that was
/// refused: many clients read the answer when they have sent all of it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_AT_MOST: Duration = Duration::from_secs(10);

/// Does the work that a connection needs before its first request, in its time and while the server runs: a client that has
/// not asked yet does not delay a shutdown.
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

/// Knows whether the server stops, or needs the slot of a connection for others. It is asked once, and remembers.
struct Hurry {
    asked: bool,
    stopping: watch::Receiver<bool>,
    close_requested: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Hurry {
    fn new(stopping: watch::Receiver<bool>, close_requested: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { asked: false, stopping, close_requested: Box::pin(close_requested) }
    }

    /// Completes when it is asked, and at once if it was.
    async fn is_asked(&mut self) {
        if !self.asked {
            tokio::select! {
                () = stop(&mut self.stopping) => {}
                () = &mut self.close_requested => {}
            }
            self.asked = true;
        }
    }
}
