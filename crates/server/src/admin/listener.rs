//! The sockets of the admin listener.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::config::Config;
use super::routes;
use super::sources::Sources;
use crate::listen;

/// Connections at once; more wait in the kernel's queue. A browser takes one for the stream of events and a few others.
const MAX_CONNECTIONS: usize = 64;
/// Time for a request head.
const HEAD: Duration = Duration::from_secs(10);

/// An admin listener whose addresses are bound.
pub(crate) struct Listener {
    sockets: Vec<TcpListener>,
    config: Config,
}

impl Listener {
    /// Binds the addresses; `None` if the listener is off.
    ///
    /// # Errors
    ///
    /// If an address cannot be used, or one is not a loopback address and there is no token.
    pub(crate) async fn bind(config: Config) -> anyhow::Result<Option<Self>> {
        let Some(spec) = &config.listen else { return Ok(None) };
        let mut sockets = Vec::new();
        for socket in listen::bind(spec).await? {
            socket.set_nonblocking(true)?;
            sockets.push(TcpListener::from_std(socket)?);
        }
        let addresses = sockets.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
        if config.token.is_none() && !listen::all_loopback(&addresses) {
            anyhow::bail!(
                "the admin listener would be open to everyone on {spec}: give it a token (admin.token, the flag \
                 --admin-token), or a loopback address"
            );
        }
        Ok(Some(Self { sockets, config }))
    }

    /// Where to point a browser.
    pub(crate) fn urls(&self) -> Vec<String> {
        let addresses = self.sockets.iter().filter_map(|socket| socket.local_addr().ok());
        let spec = self.config.listen.as_deref().unwrap_or_default();
        let mut urls: Vec<_> = addresses.map(|address| listen::url(spec, address, false)).collect();
        urls.dedup();
        urls
    }

    /// Answers until the program ends; streams of events end when `stopping` turns true.
    pub(crate) fn start(self, sources: Sources, stopping: watch::Receiver<bool>) {
        let app = routes::router(Arc::new(sources), &self.config, stopping);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        for socket in self.sockets {
            tokio::spawn(accept(socket, Arc::clone(&places), app.clone()));
        }
    }
}

async fn accept(socket: TcpListener, places: Arc<Semaphore>, app: Router) -> Infallible {
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match socket.accept().await {
            Ok((stream, _)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    serve(stream, app).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin listener could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, app: Router) {
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    let result = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
    if let Err(error) = result {
        tracing::debug!(error, "a connection to the admin listener broke off");
    }
}
