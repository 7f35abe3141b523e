//! The accept loop.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::Headstart;
use crate::admission::{Admission, ConnectionPermit};

use super::accepted::Accepted;
use super::http_service::HttpService;
use super::listener::Listener;
use super::make_service::{BoxError, ClonedService, MadeService, MakeConnectionService};
use crate::connection::Connection;

/// A server that was made by [`Headstart::serve`]; it runs when awaited.
#[must_use = "a server runs when it is awaited"]
pub struct Serve<L, M> {
    headstart: Headstart,
    listener: L,
    tls: Option<Arc<ServerConfig>>,
    make: M,
    stop: BoxFuture<'static, ()>,
    drain: Duration,
    balancers: Arc<[IpNet]>,
    /// [`run`], for a listener and a service that fit. So the bounds are checked where a server is made, and a mistake in
    /// a type is reported there alone, not once more as something that cannot be awaited.
    run: fn(Self) -> BoxFuture<'static, io::Result<()>>,
}

impl<L, M> fmt::Debug for Serve<L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("drain", &self.drain).field("balancers", &self.balancers).finish_non_exhaustive()
    }
}

impl Headstart {
    /// Serves a tower service, such as an axum `Router`, to all who connect to a [`Listener`]. With a TLS configuration,
    /// `Arc::new(config)`, HTTP/2 and HTTP/1.1 are offered by ALPN; without one, `None`, HTTP/2 is for clients with prior knowledge.
    ///
    /// Requests carry in their extensions the [`Connection`] that they came over, the peer's address
    /// ([`Peer`](headstart_policy::Peer)), the client's if a trusted proxy names one
    /// ([`ClientAddress`](headstart_policy::ClientAddress)), and with the feature `axum` axum's `ConnectInfo<SocketAddr>`.
    ///
    /// The returned value runs when awaited; see [`Serve::with_graceful_shutdown`]. Do not add
    /// [`Headstart::layer`](crate::Headstart::layer) to the service: `serve` does what it does.
    pub fn serve<L, S>(
        &self,
        listener: L,
        tls: impl Into<Option<Arc<ServerConfig>>>,
        service: S,
    ) -> Serve<L, ClonedService<S>>
    where
        L: Listener,
        S: HttpService,
    {
        Serve::new(self.clone(), listener, tls.into(), ClonedService { service, on_connection: None })
    }

    /// Serves what a make-service makes for each connection from the address of its client, such as
    /// `app.into_make_service_with_connect_info::<SocketAddr>()` of axum. See [`serve`](Self::serve).
    pub fn serve_make_service<L, M, S>(
        &self,
        listener: L,
        tls: impl Into<Option<Arc<ServerConfig>>>,
        make_service: M,
    ) -> Serve<L, MadeService<M>>
    where
        L: Listener,
        M: Service<SocketAddr, Response = S> + Clone + Send + 'static,
        M::Future: Send,
        M::Error: Into<BoxError>,
        S: HttpService,
    {
        Serve::new(self.clone(), listener, tls.into(), MadeService(make_service))
    }
}

impl<L, S> Serve<L, ClonedService<S>> {
    /// Called once for each connection, before its first request, with the clone of the service that will answer
    /// it: for what a service has to know of its connection, such as the name that its certificate was chosen by.
    pub fn on_connection(mut self, call: impl Fn(&mut S, &Connection) + Send + Sync + 'static) -> Self {
        self.make.on_connection = Some(Arc::new(call));
        self
    }
}

impl<L: Listener, M: MakeConnectionService> Serve<L, M> {
    fn new(headstart: Headstart, listener: L, tls: Option<Arc<ServerConfig>>, make: M) -> Self {
        let (stop, drain) = (Box::pin(std::future::pending()), Duration::from_secs(30));
        let run = |serve| -> BoxFuture<'static, io::Result<()>> { Box::pin(run(serve)) };
        Serve { headstart, listener, tls, make, stop, drain, balancers: Arc::default(), run }
    }
}

impl<L, M> Serve<L, M> {
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

impl<L, M> IntoFuture for Serve<L, M> {
    type Output = io::Result<()>;
    type IntoFuture = BoxFuture<'static, io::Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self)
    }
}

async fn run<L: Listener, M: MakeConnectionService>(serve: Serve<L, M>) -> io::Result<()> {
    let Serve { headstart, mut listener, tls, make, stop, drain, balancers, .. } = serve;
    let tls = tls.map(|config| TlsAcceptor::from(with_alpn(config)));
    let (stopped, stopping) = watch::channel(false);
    let mut stop = pin!(stop);
    #[cfg(feature = "fleet")]
    headstart.join_fleet();
    let mut saving = pin!(headstart.keep_saving());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&mut listener, &headstart.connections.admission) => accepted,
            // It never ends, and comes to its turn whenever a save is due.
            never = &mut saving => match never {},
        };
        let Some((io, connection, permit)) = accepted else { continue };
        let accepted = Accepted {
            headstart: headstart.clone(),
            make: make.clone(),
            connection,
            permit,
            stopping: stopping.clone(),
            balancers: Arc::clone(&balancers),
        };
        tokio::spawn(accepted.serve(io, tls.clone()));
    }
    drop(listener);
    drop(stopping);
    // A receiver that is gone is a connection that has ended.
    let _ = stopped.send(true);
    let _ = timeout(drain, stopped.closed()).await;
    headstart.save_at_the_end().await;
    Ok(())
}

/// The next connection, with its permit; more wait in the kernel's queue.
async fn accept<L: Listener>(
    listener: &mut L,
    admission: &Arc<Admission>,
) -> Option<(L::Io, Connection, ConnectionPermit)> {
    match listener.accept().await {
        Ok((io, connection)) => Some((io, connection, admission.permit().await?)),
        Err(error) => {
            // Out of descriptors, or a client that left at once: the listener itself is sound.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// HTTP/2 first, unless the configuration says otherwise.
fn with_alpn(config: Arc<ServerConfig>) -> Arc<ServerConfig> {
    if !config.alpn_protocols.is_empty() {
        if !config.alpn_protocols.iter().any(|protocol| protocol == b"h2") {
            tracing::warn!(
                "the TLS configuration does not offer `h2` (alpn_protocols): all clients will use HTTP/1.1, without pushes \
                 and 103; leave the list empty, and h2 and http/1.1 are offered"
            );
        }
        return config;
    }
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}
