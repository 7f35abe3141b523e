//! Connecting to a server: name, TCP, TLS, and the version of HTTP that was agreed on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::{Address, Scheme};
use super::config::{Config, ConfigError};
use super::error::Fault;
use super::http1::Http1;
use super::http2::Http2;
use super::io::Io;
use super::tls::client_config;
use super::upload::Upload;

/// Makes connections to one server.
pub(super) struct Dialer {
    pub(super) address: Address,
    tls: Option<Tls>,
    timeout: Duration,
    max_head_bytes: usize,
}

struct Tls {
    name: ServerName<'static>,
    either: TlsConnector,
    /// Offers HTTP/1.1 alone.
    http1: TlsConnector,
}

/// A new connection, by what it can carry.
pub(super) enum Dialed {
    Http1(Http1),
    Http2(Http2),
}

#[cfg(unix)]
async fn on_socket(path: &Path) -> io::Result<Io> {
    tokio::net::UnixStream::connect(path).await.map(Io::Unix)
}

#[cfg(not(unix))]
#[allow(clippy::unused_async)]
async fn on_socket(_: &Path) -> io::Result<Io> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Dialer {
    pub(super) fn new(address: Address, config: &Config) -> Result<Self, ConfigError> {
        let tls = if address.scheme == Scheme::Https {
            let name = config.tls.server_name.as_deref().unwrap_or(address.host()).to_owned();
            let server = ServerName::try_from(name.clone())
                .map_err(|_| ConfigError(format!("{name:?} is no name that a certificate can carry")))?;
            let either = client_config(&config.tls)?;
            let mut http1 = rustls::ClientConfig::clone(&either);
            http1.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(Tls { name: server, either: either.into(), http1: Arc::new(http1).into() })
        } else {
            None
        };
        Ok(Dialer {
            address,
            tls,
            timeout: config.timeouts.connect,
            // The least that hyper takes.
            max_head_bytes: config.limits.max_head_bytes.max(8192),
        })
    }

    /// Connects, in the time that is allowed; with TLS over HTTP/1.1 if it has to be `exclusive`.
    pub(super) async fn dial(&self, exclusive: bool) -> Result<Dialed, Fault> {
        match tokio::time::timeout(self.timeout, self.connect(exclusive)).await {
            Ok(Ok(dialed)) => Ok(dialed),
            Ok(Err(error)) => {
                tracing::debug!(server = %self.address, %error, "no connection");
                Err(Fault::Refused)
            }
            Err(_) => {
                tracing::debug!(server = %self.address, "no connection in time");
                Err(Fault::ConnectTimeout)
            }
        }
    }

    async fn connect(&self, exclusive: bool) -> io::Result<Dialed> {
        if let Some(path) = self.address.socket() {
            let io = on_socket(path).await?;
            return if self.address.scheme == Scheme::H2c { self.http2(io).await } else { self.http1(io).await };
        }
        // Tries each address of the name in turn.
        let socket = TcpStream::connect((self.address.host(), self.address.port())).await?;
        socket.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return match self.address.scheme {
                Scheme::H2c => self.http2(Io::Plain(socket)).await,
                Scheme::Http | Scheme::Https => self.http1(Io::Plain(socket)).await,
            };
        };
        let connector = if exclusive { &tls.http1 } else { &tls.either };
        let stream = connector.connect(tls.name.clone(), socket).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = Io::Tls(Box::new(stream));
        if http2 { self.http2(io).await } else { self.http1(io).await }
    }

    async fn http1(&self, io: Io) -> io::Result<Dialed> {
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(self.max_head_bytes.max(64 << 10))
            // Bytes are the limit; hyper allocates 56 bytes for each field that there may be, with each response.
            .max_headers((self.max_head_bytes / 64).max(100))
            .max_header_size(self.max_head_bytes)
            .handshake::<_, Upload>(TokioIo::new(io))
            .await
            .map_err(io::Error::other)?;
        Ok(Dialed::Http1(Http1::new(sender, driver)))
    }

    async fn http2(&self, io: Io) -> io::Result<Dialed> {
        let connection = Http2::handshake(io, self.max_head_bytes).await.map_err(io::Error::other)?;
        Ok(Dialed::Http2(connection))
    }
}
