//! A reverse proxy as a [`tower_service::Service`]: it asks an application over HTTP and hands its answers on.
//!
//! * **In** (`head`, `forwarded`): what could be read in two ways is refused, fields of one connection are removed,
//!   what is said of the client is ours. The request is serialised again; no byte of the client's is passed on unread.
//! * **Which server** (`upstream`, `server`, `probe`): in turn or by load, without those that failed lately.
//! * **Over what** (`dial`, `connection`): HTTP/1.1, or HTTP/2 with TLS or without; kept for the next request.
//! * **Out** (`exchange`, `relay`, `hints`, `tunnel`, `websocket`): a response is passed on as it comes and as the
//!   client takes it. One that breaks off breaks off for the client too.
//! * **Compression** (`encoding`): text that the upstream sends as it is, for clients that take a coding.
//! * **Cache** (`cache`, `read_ahead`): what any client may be given, so that a push need not cost the upstream a
//!   request, nor many clients at once one for each.
//!
//! The service knows nothing of early delivery. In the extensions of a request it reads who asks ([`Peer`],
//! [`OverTls`]), and, where the server below offers them, a channel for 103 (Early Hints) and the mark of a push.
//!
//! ```no_run
//! use headstart_proxy::{Cache, Config, Proxy};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new(vec!["http://127.0.0.1:3000".parse()?]);
//! let proxy = Proxy::new(config, Cache::default())?;
//! # let _ = proxy; Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod address;
mod body;
mod cache;
mod config;
mod connection;
mod cookies;
mod dial;
mod encoding;
mod error;
mod exchange;
mod forwarded;
mod head;
mod hints;
mod http1;
mod http2;
mod incoming;
mod io;
mod paths;
mod prepare;
mod probe;
mod read_ahead;
mod relay;
mod respond;
mod send_error;
mod server;
mod service;
mod stats;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;
mod upload;
mod upstream;
mod websocket;

pub use headstart_policy::{OverTls, Peer};

pub use address::{Address, AddressError, Scheme};
pub use body::Body;
pub use cache::Cache;
pub use config::{
    Balance, Caching, Compression, Config, ConfigError, Fields, ForwardedField, Forwarding, Health, HostField, Limits,
    Probe, Roots, Timeouts, UpstreamTls,
};
pub use error::Fault;
pub use relay::BodyError;
pub use service::{Proxy, ResponseFuture, UpstreamName};
pub use stats::{BUCKETS, ServerStats, UpstreamStats};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
