//! A link with all servers at its far end, and what is done over it.

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::link::{Conditions, Link};
use crate::peers::{Certificate, Error, Running, Setup};
use futures_util::future::join_all;
use tempfile::TempDir;
use testkit::tls;
use tokio::task::LocalSet;

use super::app::APP;
use super::browser::{self, Expected, Painted};
use super::cache::Cache;
use super::client::{self, Load, Place, Profile};
use super::contest::{Contestant, Way};
use super::site::{Page, Site};

/// Ports of the servers: the first, and how many a lane may have.
const FIRST_PORT: u16 = 21_200;
const PORTS: u16 = 30;
/// How far above a server's port that of its upstream is.
const UPSTREAM_PORTS: u16 = 1_000;
/// Stands for the upstream's address and port in what a server is told.
pub(crate) const UPSTREAM: &str = "@upstream@";
/// How long a server may take to listen; a Java one takes long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Visits that teach a server that learns before anything is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teaching {
    pub(crate) networks: u8,
    /// Visits of each page from each network.
    pub(crate) rounds: usize,
}

/// A load with what it took on the link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) load: Load,
    /// Bytes of IP packets to the client.
    pub(crate) wire: u64,
}

/// One link. It belongs to the thread that made it, which is among the clients from then on.
pub(crate) struct Lane {
    pub(crate) link: Link,
    number: u16,
    certificate: Certificate,
    tls: Arc<rustls::ClientConfig>,
    teaching: Teaching,
    servers: HashMap<(&'static str, u64), Server>,
    /// Servers that were started so far.
    started: u16,
    runtime: tokio::runtime::Runtime,
    /// Holds the certificate.
    _scratch: TempDir,
}

/// A server that runs, with the directory that it serves.
struct Server {
    running: Option<Running>,
    /// The upstream to which it passes requests for pages; held so that it runs.
    upstream: Option<Running>,
    upstream_port: u16,
    root: TempDir,
    port: u16,
    site: Arc<Site>,
}

impl Lane {
    pub(crate) fn new(link: Link, number: u16, teaching: Teaching) -> Result<Self, String> {
        link.enter_client().map_err(said)?;
        let scratch = tempfile::tempdir().map_err(said)?;
        let certificate = Certificate::make(scratch.path()).map_err(said)?;
        let tls = trusting(&certificate);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said)?;
        let servers = HashMap::new();
        Ok(Self { link, number, certificate, tls, teaching, servers, started: 0, runtime, _scratch: scratch })
    }

    /// Ends all servers.
    pub(crate) fn clear(&mut self) {
        self.servers.clear();
    }

    /// Starts a server that thinks so long (ms) over a page, and has it learn if it does.
    pub(crate) fn start(&mut self, contestant: &Contestant, think: u64, site: Arc<Site>) -> Result<(), Error> {
        let root = tempfile::tempdir()?;
        // Some servers give up being root.
        std::fs::set_permissions(root.path(), Permissions::from_mode(0o755))?;
        let place = self.started % PORTS;
        self.started += 1;
        let port = FIRST_PORT + self.number * PORTS + place;
        let upstream_port = port + UPSTREAM_PORTS;
        site.write(root.path())?;
        let mut server = Server { running: None, upstream: None, upstream_port, root, port, site };
        if contestant.proxies && think > 0 {
            server.upstream = Some(self.run_upstream(think, &server)?);
        }
        server.running = Some(self.run(contestant, think, &server)?);
        self.servers.insert((contestant.name, think), server);
        let learned = contestant.learns.map_or(Ok(()), |way| self.visitors(contestant, think, way));
        learned.map_err(|why| Error::Failed(format!("{}: {why}", contestant.name)))
    }

    fn run(&self, contestant: &Contestant, think: u64, server: &Server) -> Result<Running, Error> {
        let prefix = self.link.server_prefix();
        let upstream = SocketAddr::new(self.link.server_address(), server.upstream_port);
        let extra = (contestant.extra)(&server.site, think).replace(UPSTREAM, &upstream.to_string());
        let mut setup = Setup::new(server.root.path(), &self.certificate);
        setup.extra = &extra;
        setup.prefix = &prefix;
        setup.address = self.link.server_address();
        setup.port = server.port;
        let running = setup.start(&contestant.peer)?;
        let far = SocketAddr::new(self.link.server_address(), server.port);
        let up = self.among_servers(|| listens(far));
        if up { Ok(running) } else { Err(Error::Failed(format!("it does not listen: {}", running.said()))) }
    }

    /// An application that thinks over pages, for a server that has no handler that could.
    fn run_upstream(&self, think: u64, server: &Server) -> Result<Running, Error> {
        let prefix = self.link.server_prefix();
        let extra = format!("upstream {think}");
        let mut setup = Setup::new(server.root.path(), &self.certificate);
        setup.extra = &extra;
        setup.prefix = &prefix;
        setup.address = self.link.server_address();
        setup.port = server.upstream_port;
        setup.start(&APP)
    }

    /// A site's next deploy. A server with a list gets a new one.
    pub(crate) fn deploy(&mut self, contestant: &Contestant, think: u64) -> Result<(), String> {
        let mut server = self.servers.remove(&(contestant.name, think)).ok_or("it does not run")?;
        server.site = Arc::new(Site::new(server.site.version + 1));
        server.site.write(server.root.path()).map_err(said)?;
        if contestant.learns.is_none() {
            server.running = None;
            server.running = Some(self.run(contestant, think, &server).map_err(said)?);
        }
        self.servers.insert((contestant.name, think), server);
        contestant.learns.map_or(Ok(()), |way| self.visitors(contestant, think, way))
    }

    /// Visits of both pages from several networks, over no distance.
    fn visitors(&self, contestant: &Contestant, think: u64, way: Way) -> Result<(), String> {
        let server = self.servers.get(&(contestant.name, think)).ok_or("it does not run")?;
        let address = SocketAddr::new(self.link.server_address(), server.port);
        let authority = authority(server.port);
        self.among_servers(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said)?;
            for _ in 0..self.teaching.rounds {
                for network in 1..=self.teaching.networks {
                    let source = Some(Ipv4Addr::new(127, 0, network, 1));
                    let place = Place { address, authority: &authority, source, round_trip: Duration::ZERO };
                    for page in &server.site.pages {
                        // A browser that is new here.
                        let mut profile = self.profile(way);
                        let load = client::load(&mut profile, &place, &server.site, page);
                        runtime.block_on(LocalSet::new().run_until(load))?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Runs something where the servers are.
    fn among_servers<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                self.link.enter_server().expect("what was entered before can be entered again");
                work()
            });
            work.join().expect("the work does not panic")
        })
    }

    /// A new browser.
    pub(crate) fn profile(&self, way: Way) -> Profile {
        Profile {
            cache: Cache::default(),
            tls: Arc::clone(&self.tls),
            takes_pushes: way == Way::Push,
            takes_hints: way == Way::Hints,
        }
    }

    pub(crate) fn site(&self, contestant: &Contestant, think: u64) -> Option<&Site> {
        self.servers.get(&(contestant.name, think)).map(|server| &*server.site)
    }

    fn server(&self, contestant: &Contestant, think: u64) -> Result<&Server, String> {
        self.servers.get(&(contestant.name, think)).ok_or_else(|| "it does not run".to_owned())
    }

    /// Loads something from a server over the link; returns the result, and the bytes that came over the link meanwhile.
    fn over_link<T>(
        &self,
        server: &Server,
        conditions: Conditions,
        load: impl AsyncFnOnce(&Place<'_>) -> T,
    ) -> Result<(T, u64), String> {
        self.link.set(conditions);
        let place = Place {
            address: self.link.address(server.port).map_err(said)?,
            authority: &authority(server.port),
            source: None,
            round_trip: conditions.round_trip,
        };
        let before = self.link.bytes_down();
        let loaded = self.runtime.block_on(LocalSet::new().run_until(load(&place)));
        let wire = self.link.bytes_down() - before;
        settle(conditions);
        Ok((loaded, wire))
    }

    /// Loads a page over the link.
    pub(crate) fn load(
        &self,
        contestant: &Contestant,
        think: u64,
        profile: &mut Profile,
        page: fn(&Site) -> &Page,
        conditions: Conditions,
    ) -> Result<Measured, String> {
        let server = self.server(contestant, think)?;
        let (load, wire) = self.over_link(server, conditions, async |place| {
            client::load(profile, place, &server.site, page(&server.site)).await
        })?;
        Ok(Measured { load: load?, wire })
    }

    /// Loads the first page in so many new browsers at once: the median of each of their times, all that they were sent in
    /// vain, and the waterfall of the first.
    pub(crate) fn crowd(
        &self,
        contestant: &Contestant,
        think: u64,
        way: Way,
        clients: usize,
        conditions: Conditions,
    ) -> Result<Measured, String> {
        let server = self.server(contestant, think)?;
        let mut profiles: Vec<Profile> = (0..clients).map(|_| self.profile(way)).collect();
        let page = server.site.one();
        let (loads, wire) = self.over_link(server, conditions, async |place| {
            join_all(profiles.iter_mut().map(|profile| client::load(profile, place, &server.site, page))).await
        })?;
        let mut loads = loads.into_iter().collect::<Result<Vec<Load>, String>>()?;
        let middle = |time: fn(&Load) -> Duration| {
            let mut times: Vec<Duration> = loads.iter().map(time).collect();
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or_default()
        };
        let (render, complete) = (middle(|load| load.render), middle(|load| load.complete));
        let wasted = loads.iter().map(|load| load.wasted).sum();
        let load = Load { render, complete, wasted, ..loads.swap_remove(0) };
        Ok(Measured { load, wire })
    }

    /// Loads the first page in a new browser over the link.
    pub(crate) fn browse(
        &self,
        contestant: &Contestant,
        think: u64,
        expected: Expected,
        conditions: Conditions,
    ) -> Result<Painted, String> {
        let server = self.server(contestant, think)?;
        self.link.set(conditions);
        let visit = browser::Visit {
            page: server.site.one(),
            address: self.link.address(server.port).map_err(said)?,
            authority: &authority(server.port),
            spki: self.certificate.spki(),
            expected,
        };
        let painted = browser::load(&self.link.client_prefix(), &visit);
        settle(conditions);
        painted
    }

    /// The server's output, for a report of what went wrong.
    pub(crate) fn said(&self, contestant: &Contestant, think: u64) -> String {
        let server = self.servers.get(&(contestant.name, think));
        server.and_then(|server| server.running.as_ref()).map(Running::said).unwrap_or_default()
    }
}

/// Waits for the last packets of a load (the client's end of the connection, the server's, and its acknowledgement), behind
/// which those of the next would queue, and for what a server does when a connection is over (to learn from it).
fn settle(conditions: Conditions) {
    std::thread::sleep(2 * conditions.round_trip + Duration::from_millis(20));
}

fn authority(port: u16) -> String {
    format!("localhost:{port}")
}

fn listens(address: SocketAddr) -> bool {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// A client that makes a full handshake at every visit, as after a day.
fn trusting(certificate: &Certificate) -> Arc<rustls::ClientConfig> {
    let mut tls = rustls::ClientConfig::clone(&tls::with_protocols(&certificate.trusted(), &["h2"]));
    tls.resumption = rustls::client::Resumption::disabled();
    Arc::new(tls)
}

fn said(error: impl Display) -> String {
    error.to_string()
}
