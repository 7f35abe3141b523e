//! The accept loop: TLS, ALPN, and the protocol that was agreed on.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::Headstart;
use crate::body::Body;
use crate::engine::now;
use crate::exchange::ConnectionState;
use crate::layer::{HeadstartLayer, Peer};

/// Time for the TLS handshake, and for a request head over HTTP/1.1.
const HANDSHAKE: Duration = Duration::from_secs(5);
const HTTP1_HEAD: Duration = Duration::from_secs(10);
/// Connections at once over all; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// What TLS and the kernel may hold unsent, bytes. What lies below the scheduler cannot be overtaken, so a late
/// urgent response waits for as much as stands here; at 10 Mbit/s 16 KiB are 13 ms.
const UNSENT_BYTES: usize = 16 << 10;
/// How HTTP/2 with prior knowledge begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A server that was made by [`Headstart::serve`]; it runs when awaited.
#[must_use = "a server runs when it is awaited"]
pub struct Serve<S> {
    headstart: Headstart,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    service: S,
    stop: BoxFuture<'static, ()>,
    drain: Duration,
    greet: Option<Greeter<S>>,
}

/// Told of each connection before its first request, with the service that will answer it.
type Greeter<S> = Arc<dyn Fn(&mut S, &Connection<'_>) + Send + Sync>;

/// A connection that is about to be served.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Connection<'a> {
    /// The address of the client.
    pub remote: SocketAddr,
    /// The name that the client asked for in the TLS handshake (RFC 6066, section 3), in lower case; none in
    /// cleartext and for clients that ask for an address.
    pub server_name: Option<&'a str>,
}

impl<S> Serve<S> {
    pub(crate) fn new(headstart: Headstart, listener: TcpListener, tls: Option<Arc<ServerConfig>>, service: S) -> Self {
        let stop = Box::pin(std::future::pending());
        Serve { headstart, listener, tls, service, stop, drain: Duration::from_secs(30), greet: None }
    }

    /// Called once for each connection, before its first request, with the clone of the service that will answer
    /// it: for what a service has to know of its connection, such as the name that its certificate was chosen by.
    pub fn on_connection(mut self, greet: impl Fn(&mut S, &Connection<'_>) + Send + Sync + 'static) -> Self {
        self.greet = Some(Arc::new(greet));
        self
    }

    /// Stops accepting when `signal` is done, finishes what is under way and returns.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(signal);
        self
    }

    /// How long connections may take to finish then. 30 s.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }
}

impl<S, B> IntoFuture for Serve<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
{
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<'static, io::Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

async fn run<S, B>(serve: Serve<S>) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
{
    let Serve { headstart, listener, tls, service, stop, drain, greet } = serve;
    let tls = tls.map(|config| TlsAcceptor::from(with_alpn(config)));
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stopped, stopping) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((socket, remote, place)) = accepted else { continue };
        let connection = Accepted {
            headstart: headstart.clone(),
            service: service.clone(),
            remote,
            stopping: stopping.clone(),
            greet: greet.clone(),
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            connection.serve(socket, tls).await;
            drop(place);
        });
    }
    drop(listener);
    drop(stopping);
    // A receiver that is gone is a connection that has ended.
    let _ = stopped.send(true);
    let _ = timeout(drain, stopped.closed()).await;
    Ok(())
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((socket, remote)) => {
            prepare(&socket);
            Some((socket, remote, place))
        }
        Err(error) => {
            // Out of descriptors, or a client that left at once: the listener itself is sound.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Options without which it works, only slower.
fn prepare(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(UNSENT_BYTES as u32);
}

/// HTTP/2 first, unless the configuration says otherwise.
fn with_alpn(config: Arc<ServerConfig>) -> Arc<ServerConfig> {
    if !config.alpn_protocols.is_empty() {
        return config;
    }
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A connection that was accepted.
struct Accepted<S> {
    headstart: Headstart,
    service: S,
    remote: SocketAddr,
    stopping: watch::Receiver<bool>,
    greet: Option<Greeter<S>>,
}

impl<S, B> Accepted<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Debug,
{
    async fn serve(mut self, socket: TcpStream, tls: Option<TlsAcceptor>) {
        let remote = self.remote;
        let Some(tls) = tls else {
            match handshake(&mut self.stopping, speaks_http2(&socket)).await {
                Some(Ok(true)) => self.greeted(None).http2(socket).await,
                Some(Ok(false)) => self.greeted(None).http1(socket).await,
                _ => tracing::debug!(%remote, "the client said nothing"),
            }
            return;
        };
        match handshake(&mut self.stopping, tls.accept(socket)).await {
            Some(Ok(mut stream)) => {
                let session = stream.get_mut().1;
                session.set_buffer_limit(Some(UNSENT_BYTES));
                let http2 = session.alpn_protocol() == Some(b"h2");
                let this = self.greeted(session.server_name());
                if http2 { this.http2(stream).await } else { this.http1(stream).await }
            }
            Some(Err(error)) => tracing::debug!(%remote, %error, "the TLS handshake failed"),
            None => tracing::debug!(%remote, "the TLS handshake took too long"),
        }
    }

    /// Tells the service whom it will answer.
    fn greeted(mut self, server_name: Option<&str>) -> Self {
        if let Some(greet) = self.greet.take() {
            greet(&mut self.service, &Connection { remote: self.remote, server_name });
        }
        self
    }

    async fn http2<T: AsyncRead + AsyncWrite + Unpin>(mut self, io: T) {
        let policy = self.headstart.policy(self.remote);
        let config = self.headstart.engine.h2.clone();
        let service = WithPeer { service: self.service, remote: self.remote };
        let mut connection = headstart_h2::serve_connection_with(config, io, service, policy);
        let result = tokio::select! {
            result = &mut connection => result,
            () = stop(&mut self.stopping) => {
                connection.graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(remote = %self.remote, %error, "the connection broke off");
        }
    }

    async fn http1<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, io: T) {
        let engine = &self.headstart.engine;
        let state = Arc::new(Mutex::new(ConnectionState::new(engine, self.remote)));
        let layer = HeadstartLayer { engine: Arc::clone(engine), connection: Some(Arc::clone(&state)) };
        let service = layer.layer(WithPeer { service: self.service, remote: self.remote });
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HTTP1_HEAD);
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service)));
        let result = tokio::select! {
            result = &mut connection => result,
            () = stop(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(remote = %self.remote, %error, "the connection broke off");
        }
        if let Ok(state) = state.lock() {
            self.headstart.engine.learner.disconnect(now(), state.id);
        }
    }
}

/// What a connection needs before its first request, in its time and while the server runs: who has not asked yet
/// does not delay a shutdown.
async fn handshake<T>(stopping: &mut watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = timeout(HANDSHAKE, work) => done.ok(),
        () = stop(stopping) => None,
    }
}

/// Done when the server stops.
async fn stop(stopping: &mut watch::Receiver<bool>) {
    // The sender outlives the connections.
    let _ = stopping.wait_for(|stop| *stop).await;
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

/// Gives a service the client's address and one type of body for both protocols.
#[derive(Clone)]
struct WithPeer<S> {
    service: S,
    remote: SocketAddr,
}

impl<S, R> Service<Request<R>> for WithPeer<S>
where
    S: Service<Request<Body>>,
    Body: From<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<R>) -> S::Future {
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(Peer(self.remote));
        self.service.call(request)
    }
}
