//! A client that loads pages as a browser does: in the order in which it learns what it needs.
//!
//! It parses nothing: a manifest says what each page needs and when that shows. It keeps a cache and cookies, takes
//! pushes or refuses them, cancels a push of what it holds or has asked for, acts on the first 103, and counts the bytes that
//! were wasted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, StatusCode, header};
use rustls::pki_types::ServerName;
use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, spawn_local};
use tokio_rustls::TlsConnector;

use super::cache::Cache;
use super::fetch::{self, Done, Event};
use super::frames::{Counted, Received};
use super::hints;
use super::request::{Why, request};
use super::site::{Asset, Content, Found, Kind, Page, Site};

/// A load that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser's profile.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) cache: Cache,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) takes_pushes: bool,
    pub(crate) takes_hints: bool,
}

/// The place from which a page is loaded.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub(crate) address: SocketAddr,
    /// Host and port that requests name.
    pub(crate) authority: &'a str,
    /// The client's own address, if it is to be a particular one.
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) round_trip: Duration,
}

/// The result of a load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// From before the connection was made until the page is drawn and works: all that renders is there.
    pub(crate) render: Duration,
    /// Until all that the page needs is there.
    pub(crate) complete: Duration,
    pub(crate) requests: usize,
    /// Bytes of bodies that were pushed or hinted, and that the client held or the page did not need.
    pub(crate) wasted: u64,
    /// Bytes of bodies received.
    pub(crate) data: u64,
    /// Paths that were pushed and of use.
    pub(crate) pushed: Vec<String>,
    /// Paths that a 103 named and the client fetched.
    pub(crate) hinted: Vec<String>,
    /// What was fetched, in the order in which it was asked for or promised.
    pub(crate) waterfall: Vec<Bar>,
}

/// A fetch on the waterfall of a load; times from when the load began.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) path: String,
    pub(crate) how: &'static str,
    pub(crate) began: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) ended: Duration,
    pub(crate) bytes: usize,
}

/// Loads a page in a new connection. Runs in a [`tokio::task::LocalSet`].
pub(crate) async fn load(profile: &mut Profile, place: &Place<'_>, site: &Site, page: &Page) -> Result<Load, String> {
    let loading = async {
        let began = Instant::now();
        let mut visit = Visit::connect(profile, place, site, page).await.map_err(|error| error.to_string())?;
        visit.run(began).await
    };
    tokio::time::timeout(PATIENCE, loading).await.unwrap_or_else(|_| Err(format!("{} took too long", page.path)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    Under,
    There,
}

struct Visit<'a> {
    profile: &'a mut Profile,
    place: &'a Place<'a>,
    site: &'a Site,
    page: &'a Page,
    send: SendRequest<Bytes>,
    received: Rc<RefCell<Received>>,
    events: UnboundedReceiver<Event>,
    tell: UnboundedSender<Event>,
    fetches: HashMap<String, Fetch>,
    /// The assets that the page turned out to need, the page itself included.
    needed: Vec<String>,
    /// Streams of pushes, by path, that were let come.
    pushes: HashMap<String, u32>,
    /// Streams that were cancelled.
    cancelled: Vec<u32>,
    hinted: Option<Vec<String>>,
    /// Bytes of the bodies that came whole.
    sizes: HashMap<String, u64>,
    load: Load,
    began: Instant,
    connection: JoinHandle<()>,
}

impl<'a> Visit<'a> {
    async fn connect(
        profile: &'a mut Profile,
        place: &'a Place<'a>,
        site: &'a Site,
        page: &'a Page,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let socket = TcpSocket::new_v4()?;
        if let Some(source) = place.source {
            socket.bind((source, 0).into())?;
        }
        let stream = socket.connect(place.address).await?;
        stream.set_nodelay(true)?;
        let tls = TlsConnector::from(Arc::clone(&profile.tls));
        let stream = tls.connect(ServerName::try_from("localhost")?, stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::other("the server does not speak HTTP/2").into());
        }
        let (io, received) = Counted::new(stream);
        // The windows of Chromium.
        let (send, connection) = h2::client::Builder::new()
            .enable_push(profile.takes_pushes)
            .initial_window_size(6 << 20)
            .initial_connection_window_size(15 << 20)
            .max_header_list_size(256 << 10)
            .max_concurrent_streams(1_000)
            .max_concurrent_reset_streams(1_000)
            .handshake(io)
            .await?;
        let connection = spawn_local(async move {
            // What breaks shows in the fetches.
            let _ = connection.await;
        });
        let (tell, events) = unbounded_channel();
        Ok(Self {
            profile,
            place,
            site,
            page,
            send,
            received,
            events,
            tell,
            fetches: HashMap::new(),
            needed: Vec::new(),
            pushes: HashMap::new(),
            cancelled: Vec::new(),
            hinted: None,
            sizes: HashMap::new(),
            load: Load::default(),
            began: Instant::now(),
            connection,
        })
    }

    async fn run(&mut self, began: Instant) -> Result<Load, String> {
        self.began = began;
        self.need(&self.page.path, Kind::Page, None, began)?;
        while !self.is_complete() {
            match self.events.recv().await {
                Some(event) => self.take(event, began)?,
                None => return Err("the connection ended".into()),
            }
        }
        self.settle().await;
        self.connection.abort();
        self.count();
        Ok(std::mem::take(&mut self.load))
    }

    fn bar(&mut self, path: &str, how: &'static str) {
        let began = self.began.elapsed();
        let (first_byte, ended, bytes) = (Duration::ZERO, Duration::ZERO, 0);
        self.load.waterfall.push(Bar { path: path.to_owned(), how, began, first_byte, ended, bytes });
    }

    fn came(&mut self, path: &str, bytes: usize) {
        let now = self.began.elapsed();
        if let Some(bar) = self.load.waterfall.iter_mut().rev().find(|bar| bar.path == path) {
            if bar.bytes == 0 {
                bar.first_byte = now;
            }
            (bar.bytes, bar.ended) = (bytes, now);
        }
    }

    fn take(&mut self, event: Event, began: Instant) -> Result<(), String> {
        if let Event::Came(path, bytes) = &event {
            self.came(path, *bytes);
        }
        match event {
            Event::Hints(head) => self.hint(&head),
            Event::Promised(path, response) => {
                let held = self.profile.cache.is_fresh(&path) || self.fetches.contains_key(&path);
                let stream = response.stream_id().as_u32();
                if held {
                    // Dropping it resets the stream: CANCEL.
                    self.cancelled.push(stream);
                } else {
                    self.bar(&path, "pushed");
                    self.fetches.insert(path.clone(), Fetch::Under);
                    self.pushes.insert(path.clone(), stream);
                    spawn_local(fetch::promised(path, response, self.tell.clone()));
                }
                Ok(())
            }
            Event::Came(path, bytes) if path == self.page.path => {
                let whole = self.site.content(&path).map_or(bytes, Content::sent).max(1);
                self.read_page((bytes * 1_000 / whole).min(1_000) as u16, began)
            }
            Event::Came(..) => Ok(()),
            Event::Done(done) => self.done(done, began),
            Event::Failed(path, why) => Err(format!("{path}: {why}")),
        }
    }

    /// Something turned out to be needed: uses what is held or under way, or asks for it.
    fn need(&mut self, path: &str, kind: Kind, referrer: Option<&str>, began: Instant) -> Result<(), String> {
        if self.needed.iter().any(|needed| needed == path) {
            return Ok(());
        }
        self.needed.push(path.to_owned());
        match self.fetches.get(path) {
            Some(Fetch::Under) => Ok(()),
            Some(Fetch::There) => self.there(path, Instant::now(), began),
            None if kind != Kind::Page && self.profile.cache.is_fresh(path) => {
                self.fetches.insert(path.to_owned(), Fetch::There);
                self.there(path, Instant::now(), began)
            }
            None => self.ask(path, kind, Why::Needed, referrer),
        }
    }

    fn ask(&mut self, path: &str, kind: Kind, why: Why, referrer: Option<&str>) -> Result<(), String> {
        let asset = self.page.assets.iter().find(|asset| asset.path == path);
        let urgency = asset.and_then(|asset| asset.urgency);
        let mut request = request(self.place.authority, path, (kind, urgency), why, referrer);
        if kind != Kind::Page {
            // Pages are generated for each visit, as those of applications are.
            request.headers_mut().extend(self.profile.cache.conditions(path));
        }
        if let Some(cookie) = self.profile.cache.cookie() {
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        // Where the server allows no more streams, it waits with those before it; a clone does not mind them.
        let (response, _) =
            self.send.clone().send_request(request, true).map_err(|error| format!("{path}: {error}"))?;
        self.load.requests += 1;
        self.bar(path, if why == Why::Needed { "needed" } else { "hinted" });
        self.fetches.insert(path.to_owned(), Fetch::Under);
        spawn_local(fetch::requested(path.to_owned(), response, self.tell.clone()));
        Ok(())
    }

    /// Acts on the first 103 (RFC 8297 allows more; browsers take one).
    fn hint(&mut self, head: &HeaderMap) -> Result<(), String> {
        if !self.profile.takes_hints || self.hinted.is_some() {
            return Ok(());
        }
        let mut hinted = Vec::new();
        for (path, kind, why) in hints::preloads(head) {
            if !self.fetches.contains_key(&path) && !self.profile.cache.is_fresh(&path) {
                self.ask(&path, kind, why, Some(&self.page.path))?;
                hinted.push(path);
            }
        }
        self.hinted = Some(hinted);
        Ok(())
    }

    fn done(&mut self, done: Done, began: Instant) -> Result<(), String> {
        let Done { path, head, body, at } = done;
        match head.status {
            StatusCode::OK => {
                // What the site does not have (any more) was sent early and wasted.
                if self.site.content(&path).is_some_and(|content| !content.is(&body)) {
                    return Err(format!("{path}: {} bytes that are not its content", body.len()));
                }
                self.profile.cache.store(&path, &head.headers);
            }
            StatusCode::NOT_MODIFIED => self.profile.cache.take_cookies(&head.headers),
            status => return Err(format!("{path}: {status}")),
        }
        if self.is_of_no_use(&path, &head.headers) {
            self.load.wasted += body.len() as u64;
            self.fetches.remove(&path);
            let kind = self.page.assets.iter().find(|asset| asset.path == path).map(|asset| asset.kind);
            return match kind.filter(|_| self.needed.contains(&path)) {
                Some(kind) => self.ask(&path, kind, Why::Needed, Some(&self.page.path)),
                None => Ok(()),
            };
        }
        self.sizes.insert(path.clone(), body.len() as u64);
        self.fetches.insert(path.clone(), Fetch::There);
        if path == self.page.path {
            // A page from the cache has no bytes of its own.
            self.read_page(1_000, began)?;
        }
        if self.needed.contains(&path) { self.there(&path, at, began) } else { Ok(()) }
    }

    /// A browser does not use what a 103 made it fetch and it may not store.
    fn is_of_no_use(&mut self, path: &str, head: &HeaderMap) -> bool {
        let no_store = head.get(header::CACHE_CONTROL).is_some_and(|control| control.as_bytes() == b"no-store");
        let hinted = self.hinted.iter_mut().flatten().find(|hinted| no_store && *hinted == path);
        // Only once: the next answer is the page's own.
        hinted.map(String::clear).is_some()
    }

    /// Something that is needed is there.
    fn there(&mut self, path: &str, at: Instant, began: Instant) -> Result<(), String> {
        let elapsed = at.duration_since(began);
        let renders = path == self.page.path || self.page.critical().any(|asset| asset.path == path);
        if renders {
            self.load.render = self.load.render.max(elapsed);
        }
        self.load.complete = self.load.complete.max(elapsed);
        let found = |asset: &&Asset| matches!(&asset.found, Found::After(needed) if needed == path);
        for asset in self.page.assets.iter().filter(found) {
            self.need(&asset.path, asset.kind, Some(path), began)?;
        }
        Ok(())
    }

    /// So many thousandths of the page are there: what it names up to there is needed.
    fn read_page(&mut self, share: u16, began: Instant) -> Result<(), String> {
        let found = |asset: &&Asset| matches!(asset.found, Found::At(place) if place <= share);
        for asset in self.page.assets.iter().filter(found) {
            self.need(&asset.path, asset.kind, Some(&self.page.path), began)?;
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        let there = |path: &str| self.fetches.get(path) == Some(&Fetch::There);
        self.page.assets.iter().all(|asset| self.needed.contains(&asset.path) && there(&asset.path))
            && there(&self.page.path)
    }

    /// Waits for what is still on its way though nobody wants it: until one and a half round trips bring nothing.
    async fn settle(&self) {
        let quiet = self.place.round_trip.mul_f64(1.5) + Duration::from_millis(30);
        let ended = Instant::now();
        loop {
            let last = self.received.borrow().last.unwrap_or(ended).max(ended);
            let rest = quiet.saturating_sub(last.elapsed());
            if rest.is_zero() {
                return;
            }
            tokio::time::sleep(rest).await;
        }
    }

    fn count(&mut self) {
        let received = self.received.borrow();
        let bytes = |stream: &u32| received.data.get(stream).copied().unwrap_or_default();
        self.load.data = received.data.values().sum();
        self.load.wasted = self.cancelled.iter().map(bytes).sum();
        for (path, stream) in &self.pushes {
            if self.needed.contains(path) {
                self.load.pushed.push(path.clone());
            } else {
                self.load.wasted += bytes(stream);
            }
        }
        self.load.hinted = self.hinted.take().unwrap_or_default();
        self.load.hinted.retain(|path| !path.is_empty());
        let content = |path: &String| self.site.content(path).map_or(0, |content| content.sent() as u64);
        self.load.wasted +=
            self.load.hinted.iter().filter(|path| !self.needed.contains(path)).map(content).sum::<u64>();
        self.load.pushed.sort_unstable();
    }
}
