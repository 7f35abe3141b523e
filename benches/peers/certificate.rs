//! One certificate for all servers of a run: the cost of TLS is then the same for each.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use testkit::tls;

/// An ECDSA certificate for `localhost` and the loopback addresses, in files.
#[derive(Debug)]
pub struct Certificate(tls::Certificate);

impl Certificate {
    /// Makes one, signed by itself, in files of the directory.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written to.
    pub fn make(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self(tls::Certificate::write(directory, "cert", &["localhost", "127.0.0.1", "::1"])))
    }

    /// The certificate, PEM: what a server shows and a client is to trust.
    pub fn cert(&self) -> &Path {
        &self.0.cert
    }

    /// A client that trusts it and nothing else, without ALPN.
    pub fn trusted(&self) -> Arc<ClientConfig> {
        tls::client(&[&self.0.der], &[])
    }

    /// Base64 of the SHA-256 of its public key: how Chromium is told to trust it.
    pub fn spki(&self) -> &str {
        &self.0.spki
    }

    /// Its private key, PEM.
    pub fn key(&self) -> &Path {
        &self.0.key
    }
}
