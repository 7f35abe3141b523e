//! Accepting connections: who connects, TLS, ALPN, and the protocol that was agreed on.

mod accepted;
mod body;
mod buffered_tls;
mod closable;
mod dynamic_records;
mod fair;
mod granted;
mod half_close;
mod http_service;
mod listener;
mod make_service;
mod paced_tcp;
mod prefixed;
mod proxy_protocol;
mod serve;
mod smuggling_guard;
mod timed_io;
mod websocket;
mod with_connection;
mod writes_to_io;

pub use self::body::{Body, BodyError};
pub(crate) use self::fair::PART;
pub use self::http_service::HttpService;
pub use self::listener::Listener;
pub use self::make_service::{ClonedService, MadeService, MakeConnectionService};
pub use self::paced_tcp::PacedTcp;
pub use self::serve::Serve;
