//! Settings of one upstream: plain values, each with a default, all checked by `Proxy::new`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headstart_coding::Levels;
use http::{HeaderName, HeaderValue, Uri};
use ipnet::IpNet;
use rustls::crypto::CryptoProvider;

use super::address::Address;

/// One upstream: one application, on one or several servers that answer alike.
///
/// Everything but [`servers`](Self::servers) has a default that fits a web application on the same network.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name in logs and metrics. Default: "upstream".
    pub name: String,
    /// Addresses of its servers; at least one. All are asked in turn.
    pub servers: Vec<Address>,
    /// The choice of the next server. Default: in turn.
    pub balance: Balance,
    /// The `Host` that the upstream gets. Default: the client's.
    pub host: HostField,
    /// The fields by which the upstream learns of the client.
    pub forwarding: Forwarding,
    /// Fields that are added and removed. None.
    pub fields: Fields,
    /// A prefix that the paths of clients have and those of the upstream have not: `/shop` has the upstream asked for `/cart` by
    /// who asks for `/shop/cart`, and told `X-Forwarded-Prefix: /shop`. What is not below it is answered 404. Empty.
    pub strip_prefix: String,
    /// How `https` servers prove themselves.
    pub tls: UpstreamTls,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How much of everything there may be.
    pub limits: Limits,
    /// When a server is left out.
    pub health: Health,
    /// Cookies that say nothing of who asks: those that the server in front sets itself. What came back to a request
    /// with any other cookie is given to others only if it says `public`, `s-maxage` or `must-revalidate`.
    /// `__Host-headstart`.
    pub own_cookies: Vec<String>,
    /// The responses of this upstream that the cache may keep. Default: assets.
    pub cache: Caching,
    /// Compression of what the upstream sends as it is, for clients that take a coding. Yes.
    pub compress: Option<Compression>,
}

/// Compression of text that an upstream sends uncompressed.
///
/// Compression of responses. A response that may carry a secret beside reflected input is never compressed (BREACH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// Bytes below which it is not worth its header, where the length is known. 1 KiB.
    pub from: u64,
    /// How hard to try. [`Levels::LIVE`].
    pub levels: Levels,
    /// Bytes that the encoders of all responses under way may take together ([`Encoder::memory`] each), with those that are
    /// kept for the next responses. What finds no room goes out as it is. 64 MiB.
    ///
    /// [`Encoder::memory`]: headstart_coding::Encoder::memory
    pub max_memory: u64,
}

impl Default for Compression {
    fn default() -> Self {
        Compression { from: 1024, levels: Levels::LIVE, max_memory: 64 << 20 }
    }
}

/// The choice of the next server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The one with the fewest requests under way.
    LeastOpen,
}

/// The `Host` that the upstream gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostField {
    /// As the client said: what an application needs that makes links to itself.
    #[default]
    Preserve,
    /// The authority of the server that is asked.
    Server,
    /// Always this.
    Named(HeaderValue),
}

/// Fields that are added and removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Of requests: each takes the place of what the client said under that name. Not `Host`, nor what frames a message.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Of requests: the upstream is not told of these.
    pub remove: Vec<HeaderName>,
    /// Of responses: clients are not told of these.
    pub remove_from_responses: Vec<HeaderName>,
}

/// `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` (RFC 7239).
#[derive(Clone, Debug, Default)]
pub struct Forwarding {
    /// Networks of proxies in front of this one. From these the fields are kept and added to; from all others they
    /// are thrown away, for anyone can write them. None.
    pub trusted: Vec<IpNet>,
    /// The field in which these proxies name the client, which is kept and added to. With `X-Forwarded-For` goes
    /// `X-Forwarded-Proto`. `X-Forwarded-For`.
    pub field: ForwardedField,
    /// Further fields that are let through although applications believe them: what the proxies in front write besides,
    /// such as `X-Forwarded-Host`. From those that are not trusted, only these fields come through too. None.
    pub trust: Vec<HeaderName>,
    /// Whether `Via` is added to requests and responses (RFC 9110, section 7.6.3). No.
    pub via: bool,
}

/// In which field proxies in front name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedField {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// How an `https` server proves itself.
#[derive(Clone, Debug, Default)]
pub struct UpstreamTls {
    /// The certificate authorities that are believed. Default: Mozilla's list.
    pub roots: Roots,
    /// Who does the cryptography: no crate of ours chooses. None: the process's default
    /// ([`CryptoProvider::get_default`]); without one an `https` server is a [`ConfigError`].
    pub provider: Option<Arc<CryptoProvider>>,
    /// The name that the certificate has to carry. The host of the address.
    pub server_name: Option<String>,
}

/// The certificates of `https` servers that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Mozilla's list of public authorities.
    #[default]
    Public,
    /// The certificates in this PEM file, and no others.
    File(PathBuf),
    /// Anyone: the connection is encrypted, to whoever is there.
    Unchecked,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To look up, connect, and shake hands. 5 s; then 504.
    pub connect: Duration,
    /// From the request's head to the response's. 60 s; then 504. An upload that makes progress restarts it.
    pub head: Duration,
    /// Without a byte of a body, either way, while the receiver would take it. 60 s; then the stream is reset.
    pub body: Duration,
    /// A connection to the upstream that nobody uses is closed. 60 s.
    pub idle: Duration,
    /// Without a byte either way in a tunnel (WebSocket). 10 min.
    pub tunnel: Duration,
}

/// How much of everything there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at this upstream, tunnels included. 1,024; one more is answered 503 with `Retry-After`.
    /// Each costs a connection (HTTP/1.1) and up to [`max_head_bytes`](Self::max_head_bytes) of buffers.
    pub max_in_flight: usize,
    /// Connections kept for the next request, for each server. 512; the longest unused give way. Fewer than what is in use
    /// at busy times means that connections are made and closed all the time.
    pub max_idle: usize,
    /// Largest upload, bytes. No limit; a larger one is answered 413.
    pub max_upload: Option<u64>,
    /// Largest head of a response, bytes. 64 KiB; a larger one is answered 502.
    pub max_head_bytes: usize,
    /// Other servers that are asked after a failure, if the request may be repeated: it has no content, its method is
    /// idempotent, and no byte of a response has come. 2.
    pub retries: u32,
}

/// When a server is left out. If all are, all are asked: a guess that all are down helps nobody.
#[derive(Clone, Debug)]
pub struct Health {
    /// Failures in a row (no connection, no head in time, a broken head) that put a server aside. 3; 0 is never.
    pub max_failures: u32,
    /// For how long; then the next request tries it. 10 s.
    pub aside: Duration,
    /// Asked regularly, whatever requests find. None.
    pub probe: Option<Probe>,
}

/// A request of our own that says whether a server is well.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The path to ask for, below the base of the server's address. Default: `/`.
    pub path: String,
    /// How often. 5 s.
    pub every: Duration,
    /// How long an answer may take. 2 s.
    pub timeout: Duration,
    /// Good answers, inclusive. 200 to 399.
    pub statuses: (u16, u16),
    /// Bad answers in a row that put a server aside. 2.
    pub falls: u32,
    /// Good answers in a row that bring it back. 2.
    pub rises: u32,
}

/// The use of the shared response cache (RFC 9111). Only successful answers to GET that any client may be given
/// are kept; requests with credentials never see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caching {
    /// Nothing.
    Off,
    /// Requests that were made for a push.
    Pushes,
    /// These, and whatever a page pulls in: styles, scripts, fonts, images.
    #[default]
    Assets,
    /// Everything that the upstream allows.
    All,
}

impl Config {
    /// Whether a target is not below the prefix that is stripped.
    pub(super) fn hides(&self, target: &Uri) -> bool {
        let prefix = self.strip_prefix.trim_end_matches('/');
        let path = target.path();
        path != "*" && path.strip_prefix(prefix).is_none_or(|rest| !(rest.is_empty() || rest.starts_with('/')))
    }

    /// The defaults, for these servers.
    pub fn new(servers: Vec<Address>) -> Self {
        Config {
            name: "upstream".to_owned(),
            servers,
            balance: Balance::default(),
            host: HostField::default(),
            forwarding: Forwarding::default(),
            fields: Fields::default(),
            strip_prefix: String::new(),
            tls: UpstreamTls::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            health: Health::default(),
            own_cookies: vec!["__Host-headstart".to_owned()],
            cache: Caching::default(),
            compress: Some(Compression::default()),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Timeouts { connect: seconds(5), head: seconds(60), body: seconds(60), idle: seconds(60), tunnel: seconds(600) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_in_flight: 1024, max_idle: 512, max_upload: None, max_head_bytes: 64 << 10, retries: 2 }
    }
}

impl Default for Health {
    fn default() -> Self {
        Health { max_failures: 3, aside: Duration::from_secs(10), probe: None }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Probe {
            path: "/".to_owned(),
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            statuses: (200, 399),
            falls: 2,
            rises: 2,
        }
    }
}

/// A configuration that cannot be used; the message names the value.
#[derive(Debug)]
pub struct ConfigError(pub(super) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
