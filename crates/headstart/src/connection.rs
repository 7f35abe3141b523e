//! Facts of a connection that are known before its first request.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// A connection: its two ends, and what TLS knows of the client. [`Headstart::serve`](crate::Headstart::serve) puts it
/// into the extensions of each request; a [`Listener`](crate::Listener) makes one for each connection.
///
/// Cloning is a reference count.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Facts>);

#[derive(Clone, Debug)]
struct Facts {
    remote: SocketAddr,
    local: Option<SocketAddr>,
    tls: Option<TlsInfo>,
}

/// Results of the TLS handshake of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The name that the client asked for (SNI; RFC 6066, section 3), in lower case; `None` for clients that ask for an
    /// address.
    pub server_name: Option<Arc<str>>,
    /// The protocol that was agreed on (ALPN; RFC 7301), such as `h2`.
    pub alpn: Option<Arc<[u8]>>,
    /// The client's certificate and those that it was signed with, its own first. Empty unless the configuration asks
    /// clients for certificates; these were verified as it says.
    pub client_certificates: Arc<[CertificateDer<'static>]>,
}

impl Connection {
    /// A connection in cleartext from this address.
    pub fn new(remote: SocketAddr) -> Self {
        Connection(Arc::new(Facts { remote, local: None, tls: None }))
    }

    /// Adds the address that the client connected to.
    pub fn with_local(self, local: SocketAddr) -> Self {
        self.change(|facts| facts.local = Some(local))
    }

    /// Adds what TLS agreed on: for listeners that do TLS themselves. With `h2` as [`TlsInfo::alpn`] the connection is
    /// served as HTTP/2, with any other protocol as HTTP/1.1; without one the first bytes decide.
    pub fn with_tls(self, tls: TlsInfo) -> Self {
        self.change(|facts| facts.tls = Some(tls))
    }

    /// Replaces the address of the client.
    pub(crate) fn with_remote(self, remote: SocketAddr) -> Self {
        self.change(|facts| facts.remote = remote)
    }

    /// The address of the client, or of the proxy in front of the server. A PROXY header replaces it.
    pub fn remote(&self) -> SocketAddr {
        self.0.remote
    }

    /// The address that the client connected to, if the listener tells.
    pub fn local(&self) -> Option<SocketAddr> {
        self.0.local
    }

    /// Results of the TLS handshake; `None` in cleartext.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.0.tls.as_ref()
    }

    /// The name that the client asked for in the TLS handshake, in lower case.
    pub fn server_name(&self) -> Option<&str> {
        self.tls()?.server_name.as_deref()
    }

    fn change(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}
