//! The sockets of the admin listener.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::config::Config;
use super::guard::Admitted;
use super::routes;
use super::sources::Sources;
use crate::listen;

/// Connections at once. A browser takes one for the stream of events and a few others.
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
        for socket in listen::bind(spec).await.context("admin.listen (the flag --admin)")? {
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

    /// URLs to open in a browser.
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
        let slots = Arc::new(Mutex::new(Slots::default()));
        for socket in self.sockets {
            tokio::spawn(accept(socket, Arc::clone(&slots), app.clone()));
        }
    }
}

async fn accept(socket: TcpListener, slots: Arc<Mutex<Slots>>, app: Router) -> Infallible {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let admitted = Admitted::default();
                let app = app.clone().layer(Extension(admitted.clone()));
                let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
                let task = tokio::spawn(serve(stream, app));
                slots.take(Slot { task: task.abort_handle(), admitted });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin listener could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The connections, the oldest first. A newcomer to a full listener takes the place of the oldest that has not shown a
/// token yet, or else of the oldest: who connects and says nothing keeps nobody out.
#[derive(Debug, Default)]
struct Slots(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    task: AbortHandle,
    admitted: Admitted,
}

impl Slots {
    fn take(&mut self, newcomer: Slot) {
        self.0.retain(|slot| !slot.task.is_finished());
        if self.0.len() >= MAX_CONNECTIONS {
            let oldest = self.0.iter().position(|slot| !slot.admitted.get()).unwrap_or(0);
            self.0.remove(oldest).task.abort();
        }
        self.0.push(newcomer);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newcomer_displaces_who_has_shown_nothing() {
        let mut slots = Slots::default();
        let mut connect = |shown: bool| {
            let admitted = Admitted::default();
            if shown {
                admitted.set();
            }
            let task = tokio::spawn(std::future::pending::<()>());
            slots.take(Slot { task: task.abort_handle(), admitted });
            task
        };
        let known = connect(true);
        let silent: Vec<_> = (1..MAX_CONNECTIONS).map(|_| connect(false)).collect();
        let newcomer = connect(false);
        assert!(silent.into_iter().next().expect("some").await.expect_err("it is ended").is_cancelled());
        assert!(!known.is_finished() && !newcomer.is_finished());
        assert_eq!(slots.0.len(), MAX_CONNECTIONS);
    }
}
