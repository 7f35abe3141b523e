//! Server push and 103 (Early Hints) for any [`tower`](tower_service::Service) service, on the [`h2`] crate.
//!
//! [`serve_connection`] drives one HTTP/2 connection: it runs a service's futures and bodies, asks a [`Policy`](headstart_policy::Policy)
//! what to send early, and carries that out without ever breaking a rule of the protocol or a limit of
//! [`Config`]. It never decides *what* to send.
//!
//! `h2` is a protocol library and no server. This crate adds:
//!
//! - **Push that no client can crash, starve or make expensive.** Promises are committed atomically, one page
//!   at a time, behind a read barrier; see `UPSTREAM.md` for what happens without.
//! - **Order.** Bodies are held above `h2` and handed over as they are needed: the page first, then its pushes
//!   in order, most urgent first by RFC 9218.
//! - **What HTTP asks of a server:** Date, content-length, HEAD, 204 and 304 without a body, trailers, 100
//!   (Continue), 103, hop-by-hop fields removed, timeouts, graceful shutdown.
//!
//! ```
//! use std::convert::Infallible;
//! use http::{HeaderMap, Request, Response, StatusCode};
//! use headstart_h2::RequestBody;
//! use headstart_policy::{Client, Opening, Policy, Promise};
//!
//! /// Pushes `/app.css` with the page `/`.
//! struct AlwaysCss;
//!
//! impl Policy for AlwaysCss {
//!     type Exchange = ();
//!     type Tag = ();
//!
//!     fn request(&mut self, client: Client, request: &mut http::request::Parts) -> Opening<(), ()> {
//!         let mut opening = Opening::new(());
//!         if client.push && request.uri.path() == "/" {
//!             opening.promises.push(Promise {
//!                 path: http::uri::PathAndQuery::from_static("/app.css"),
//!                 headers: HeaderMap::new(),
//!                 priority: None,
//!                 tag: (),
//!             });
//!         }
//!         opening
//!     }
//! }
//!
//! async fn serve(socket: tokio::net::TcpStream) -> Result<(), headstart_h2::Error> {
//!     let service = tower::service_fn(|request: Request<RequestBody>| async move {
//!         Ok::<_, Infallible>(Response::new(match request.uri().path() {
//!             "/" => "<link rel=stylesheet href=/app.css>".to_owned(),
//!             _ => "body { color: teal }".to_owned(),
//!         }))
//!     });
//!     headstart_h2::serve_connection(socket, service, AlwaysCss).await
//! }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod awaited_pages;
mod body;
mod body_options;
mod call;
mod config;
mod connection;
mod cookies;
mod date;
mod delivery;
mod driver;
mod error;
mod exchanges;
mod flood;
mod frames;
mod head;
mod interim;
mod keep_alive;
mod outbox;
mod outgoing;
mod page;
mod pending_pushes;
mod pending_response;
mod promise;
mod promises;
mod refuse;
mod schedule;
mod service;
mod shutdown;
mod socket;
mod tap;
mod timers;
mod unread_uploads;
mod updates;
mod upload_timeout;
mod virtual_time;
mod wire;

pub use crate::body::{BodyError, RequestBody};
pub use crate::config::Config;
pub use crate::connection::{Connection, serve_connection, serve_connection_with};
pub use crate::error::{Error, Timeout};
pub use crate::service::{HttpBody, HttpService};
pub use h2::ext::Protocol;
