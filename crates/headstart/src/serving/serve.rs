//! The accept loop.

use std::fmt::{self, Debug};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use ipnet::IpNet;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::Headstart;
use crate::admission::{Admission, ConnectionPermit};

use super::accepted::Accepted;
use super::body::Body;
use super::connection::{Connection, OnConnection};

/// What the kernel may hold unsent, bytes. What lies below the scheduler cannot be overtaken, so a late
/// urgent response waits for as much as stands here; at 10 Mbit/s 16 KiB are 13 ms.
const UNSENT_BYTES: usize = 16 << 10;

/// A server that was made by [`Headstart::serve`]; it runs when awaited.
#[must_use = "a server runs when it is awaited"]
pub struct Serve<S> {
    headstart: Headstart,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    service: S,
    stop: BoxFuture<'static, ()>,
    drain: Duration,
    on_connection: Option<OnConnection<S>>,
    balancers: Arc<[IpNet]>,
}

impl Headstart {
    /// Serves a tower service, such as an axum `Router`, to all who connect. With a TLS configuration HTTP/2 and
    /// HTTP/1.1 are offered by ALPN; without one, HTTP/2 is for clients with prior knowledge.
    ///
    /// The returned value runs when awaited; see [`Serve::with_graceful_shutdown`].
    pub fn serve<S>(&self, listener: TcpListener, tls: impl Into<Option<Arc<ServerConfig>>>, service: S) -> Serve<S> {
        Serve::new(self.clone(), listener, tls.into(), service)
    }
}

impl<S> Debug for Serve<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").finish_non_exhaustive()
    }
}

impl<S> Serve<S> {
    fn new(headstart: Headstart, listener: TcpListener, tls: Option<Arc<ServerConfig>>, service: S) -> Self {
        let stop = Box::pin(std::future::pending());
        Serve {
            headstart,
            listener,
            tls,
            service,
            stop,
            drain: Duration::from_secs(30),
            on_connection: None,
            balancers: Arc::default(),
        }
    }

    /// Called once for each connection, before its first request, with the clone of the service that will answer
    /// it: for what a service has to know of its connection, such as the name that its certificate was chosen by.
    pub fn on_connection(mut self, call: impl Fn(&mut S, &Connection<'_>) + Send + Sync + 'static) -> Self {
        self.on_connection = Some(Arc::new(call));
        self
    }

    /// Stops accepting when `signal` is done, finishes what is under way and returns.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(signal);
        self
    }

    /// Balancers whose connections begin with a PROXY header (versions 1 and 2): it says who the client is. Without
    /// a header they are closed; whoever else connects speaks for itself. By default there are none.
    pub fn proxy_protocol(mut self, balancers: impl IntoIterator<Item = IpNet>) -> Self {
        self.balancers = balancers.into_iter().collect();
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
    let Serve { headstart, listener, tls, service, stop, drain, on_connection, balancers } = serve;
    let tls = tls.map(|config| TlsAcceptor::from(with_alpn(config)));
    let (stopped, stopping) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &headstart.connections.admission) => accepted,
        };
        let Some((socket, remote, permit)) = accepted else { continue };
        let connection = Accepted {
            headstart: headstart.clone(),
            service: service.clone(),
            remote,
            permit,
            stopping: stopping.clone(),
            on_connection: on_connection.clone(),
            balancers: Arc::clone(&balancers),
        };
        tokio::spawn(connection.serve(socket, tls.clone()));
    }
    drop(listener);
    drop(stopping);
    // A receiver that is gone is a connection that has ended.
    let _ = stopped.send(true);
    let _ = timeout(drain, stopped.closed()).await;
    Ok(())
}

/// The next connection, with its permit; more wait in the kernel's queue.
async fn accept(
    listener: &TcpListener,
    admission: &Arc<Admission>,
) -> Option<(TcpStream, SocketAddr, ConnectionPermit)> {
    match listener.accept().await {
        Ok((socket, remote)) => {
            prepare(&socket);
            Some((socket, remote, admission.permit().await?))
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
