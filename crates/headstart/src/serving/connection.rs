//! What a service may know of its connection.

use std::net::SocketAddr;
use std::sync::Arc;

/// A connection that is about to be served.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Connection<'a> {
    /// The address of the client.
    pub remote: SocketAddr,
    /// The name that the client asked for in the TLS handshake (RFC 6066, section 3), in lower case; none in
    /// cleartext and for clients that ask for an address.
    pub server_name: Option<&'a str>,
}

/// Called with each connection before its first request, and with the service that will answer it.
pub(crate) type OnConnection<S> = Arc<dyn Fn(&mut S, &Connection<'_>) + Send + Sync>;
