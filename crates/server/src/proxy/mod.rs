//! A reverse proxy: a [`tower_service::Service`] that asks an application over HTTP and hands its answers on.
//!
//! * **In** ([`head`], [`forwarded`]): what could be read in two ways is refused, what belongs to one connection goes,
//!   what is said of the client is ours. The request is written anew; no byte of the client's is passed on as it stands.
//! * **Which server** ([`service`], [`server`], [`probe`]): in turn or by load, without those that failed lately.
//! * **Over what** ([`dial`], [`connection`]): HTTP/1.1, or HTTP/2 with TLS or without; kept for the next request.
//! * **Out** ([`exchange`], [`body`], [`hints`], [`tunnel`], [`websocket`]): a response is passed on as it comes and as the client takes
//!   it. One that breaks off breaks off for the client too.
//! * **Kept** ([`cache`], [`ahead`]): what any client may be given, so that a push need not cost the upstream a request,
//!   nor many clients at once one for each.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod address;
mod ahead;
mod body;
mod cache;
mod config;
mod connection;
mod dial;
mod error;
mod exchange;
mod forwarded;
mod head;
mod hints;
mod probe;
mod respond;
mod server;
mod service;
mod stats;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;
mod upload;
mod websocket;

pub(crate) use address::Address;
pub(crate) use body::Body;
pub(crate) use cache::Cache;
pub(crate) use config::{Balance, Caching, Config, HostField, Probe, Roots};
pub(crate) use service::Proxy;
pub(crate) use stats::{BUCKETS, UpstreamStats};
