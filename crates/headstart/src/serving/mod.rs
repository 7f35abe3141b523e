//! Accepting connections: who connects, TLS, ALPN, and the protocol that was agreed on.

mod accepted;
mod body;
mod buffered_tls;
mod connection;
mod dynamic_records;
mod proxy_protocol;
mod serve;
mod smuggling_guard;
mod timed_io;
mod websocket;
mod with_peer;

pub use self::body::{Body, BodyError};
pub use self::connection::Connection;
pub use self::serve::Serve;
