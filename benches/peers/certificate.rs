//! One certificate for all servers of a run: the cost of TLS is then the same for each.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::PublicKeyData as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest as _, Sha256};

/// An ECDSA certificate for `localhost` and the loopback addresses, in files.
#[derive(Debug)]
pub struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    spki: String,
}

impl Certificate {
    /// Makes one, signed by itself, in `cert.pem` and `key.pem` of the directory.
    ///
    /// # Errors
    ///
    /// If the files cannot be written.
    pub fn make(directory: &Path) -> io::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost", "127.0.0.1", "::1"].map(String::from));
        let made = made.map_err(io::Error::other)?;
        let spki = BASE64.encode(&Sha256::digest(made.signing_key.subject_public_key_info()));
        let this = Self { cert: directory.join("cert.pem"), key: directory.join("key.pem"), spki };
        std::fs::write(&this.cert, made.cert.pem())?;
        std::fs::write(&this.key, made.signing_key.serialize_pem())?;
        Ok(this)
    }

    /// The certificate, PEM: what a server shows and a client is to trust.
    pub fn cert(&self) -> &Path {
        &self.cert
    }

    /// A client that trusts it and nothing else, without ALPN.
    ///
    /// # Panics
    ///
    /// If the file is no longer what was made.
    pub fn trusted(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.cert).expect("PEM")).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }

    /// Base64 of the SHA-256 of its public key: how Chromium is told to trust it.
    pub fn spki(&self) -> &str {
        &self.spki
    }

    /// Its private key, PEM.
    pub fn key(&self) -> &Path {
        &self.key
    }
}
