//! The listeners that are being served, and the change from one set of them to another.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use headstart::Headstart;
use ipnet::IpNet;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::listeners::{Listen, Socket};
use crate::config::{Problem, Problems};
use crate::listen;
use crate::router::Router;
use crate::systemd;
use crate::traffic::Watched;

/// A socket that listens, and what is to be spoken on it.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The requested socket.
    socket: Socket,
    address: SocketAddr,
    listener: TcpListener,
    tls: bool,
    redirects_to_https: bool,
    proxy_protocol: Vec<IpNet>,
}

impl Bound {
    fn is_like(&self, other: &Self) -> bool {
        let spoken = |bound: &Self| (bound.address, bound.tls, bound.redirects_to_https);
        spoken(self) == spoken(other) && self.proxy_protocol == other.proxy_protocol
    }
}

/// Runs servers.
pub(crate) struct Servers {
    headstart: Headstart,
    service: Watched<Router>,
    tls: Option<Arc<ServerConfig>>,
    drain: Duration,
    running: Vec<Running>,
    tasks: JoinSet<()>,
}

struct Running {
    bound: Bound,
    stop: watch::Sender<bool>,
}

impl Servers {
    pub(crate) fn new(
        headstart: Headstart,
        service: Watched<Router>,
        tls: Option<Arc<ServerConfig>>,
        drain: Duration,
    ) -> Self {
        Self { headstart, service, tls, drain, running: Vec::new(), tasks: JoinSet::new() }
    }

    /// Binds the listeners that the settings name. Sockets that are bound already are kept.
    ///
    /// # Errors
    ///
    /// All addresses that cannot be used; nothing has changed then.
    pub(crate) async fn bind(&self, wanted: &[Listen]) -> Result<Vec<Bound>, Vec<Problem>> {
        let running = self.running.iter().map(|running| &running.bound).collect::<Vec<_>>();
        bind(wanted, &running).await
    }

    /// Serves these from now on. One that was served the same way before goes on as it is; one that is no longer among
    /// them takes no more connections, and finishes those it has.
    ///
    /// # Errors
    ///
    /// If the system has no more descriptors.
    pub(crate) fn change(&mut self, wanted: Vec<Bound>) -> std::io::Result<()> {
        let mut kept = Vec::new();
        let mut new = Vec::new();
        for bound in wanted {
            match self.running.iter().position(|running| running.bound.is_like(&bound)) {
                Some(at) => kept.push(self.running.swap_remove(at)),
                None => new.push(bound),
            }
        }
        for over in std::mem::replace(&mut self.running, kept) {
            let _ = over.stop.send(true);
        }
        for bound in new {
            self.start(bound)?;
        }
        while self.tasks.try_join_next().is_some() {}
        let secure =
            self.running.iter().filter(|running| running.bound.tls).map(|running| running.bound.address.port());
        self.service.inner_mut().set_https_port(secure.min_by_key(|port| *port != 443).unwrap_or(443));
        Ok(())
    }

    fn start(&mut self, bound: Bound) -> std::io::Result<()> {
        bound.listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(bound.listener.try_clone()?)?;
        let (stop, mut stopping) = watch::channel(false);
        let tls = if bound.tls { self.tls.clone() } else { None };
        let (over_tls, redirects_to_https) = (tls.is_some(), bound.redirects_to_https);
        let server = self
            .headstart
            .serve(listener, tls, self.service.clone())
            .on_connection(move |service, connection| {
                if over_tls {
                    service.inner_mut().connected(connection.server_name());
                } else if redirects_to_https {
                    service.inner_mut().redirect_all();
                }
            })
            .with_graceful_shutdown(async move {
                // A sender that is gone says the same.
                let _ = stopping.wait_for(|stop| *stop).await;
            })
            .proxy_protocol(bound.proxy_protocol.iter().copied())
            .drain(self.drain);
        self.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "a listener ended");
            }
        });
        self.running.push(Running { bound, stop });
        Ok(())
    }

    /// Takes no more connections, and waits for those that there are, as long as they may take.
    pub(crate) async fn stop(&mut self) {
        for running in self.running.drain(..) {
            let _ = running.stop.send(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }

    /// The ports that are served.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<_> = self.running.iter().map(|running| running.bound.address.port()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether a listener can have TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// URLs to open in a browser.
    pub(crate) fn urls(&self) -> Vec<String> {
        let mut urls = Vec::new();
        for Running { bound, .. } in &self.running {
            let spec = match &bound.socket {
                Socket::Address(spec) => spec.as_str(),
                Socket::Systemd(_) => "",
            };
            let url = listen::url(spec, bound.address, bound.tls);
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }
}

/// See [`Servers::bind`].
///
/// # Errors
///
/// All addresses that cannot be used.
pub(crate) async fn bind(wanted: &[Listen], running: &[&Bound]) -> Result<Vec<Bound>, Vec<Problem>> {
    let problems = Problems::default();
    let mut all = Vec::new();
    for Listen { socket, tls, redirects_to_https, proxy_protocol } in wanted {
        match handles(&socket.value, *tls, running, &all).await {
            Ok(listeners) => {
                for (listener, address) in listeners {
                    let (socket, proxy_protocol) = (socket.value.clone(), proxy_protocol.clone());
                    let redirects_to_https = *redirects_to_https;
                    all.push(Bound { socket, address, listener, tls: *tls, redirects_to_https, proxy_protocol });
                }
            }
            Err(error) => problems.add(&socket.place, &*socket.key, format!("{error:#}")),
        }
    }
    let problems = problems.into_sorted();
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

async fn handles(
    wanted: &Socket,
    tls: bool,
    running: &[&Bound],
    taken: &[Bound],
) -> anyhow::Result<Vec<(TcpListener, SocketAddr)>> {
    let mut same: Vec<_> = running.iter().filter(|bound| bound.socket == *wanted).collect();
    if same.iter().any(|bound| bound.tls == tls) {
        // Port 0 may stand in several entries.
        same.retain(|bound| bound.tls == tls);
    }
    if !same.is_empty() {
        same.retain(|bound| !taken.iter().any(|taken| taken.address == bound.address));
        return same.iter().map(|bound| Ok((bound.listener.try_clone()?, bound.address))).collect();
    }
    let listeners = match wanted {
        Socket::Systemd(name) => {
            let found = systemd::sockets().named(name)?;
            anyhow::ensure!(!found.is_empty(), "{wanted}: none was passed to this program");
            found
        }
        Socket::Address(spec) => listen::bind(spec).await?,
    };
    let mut with_address = Vec::new();
    for listener in listeners {
        let address = listener.local_addr()?;
        with_address.push((listener, address));
    }
    Ok(with_address)
}

/// Is every one on a loopback address, so that one developer is all there is?
pub(crate) fn all_loopback(bound: &[Bound]) -> bool {
    listen::all_loopback(&bound.iter().map(|bound| bound.address).collect::<Vec<_>>())
}
