//! One certificate for all servers of a run: the cost of TLS is then the same for each.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use rcgen::PublicKeyData as _;
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

    /// Base64 of the SHA-256 of its public key: how Chromium is told to trust it.
    pub fn spki(&self) -> &str {
        &self.spki
    }

    /// Its private key, PEM.
    pub fn key(&self) -> &Path {
        &self.key
    }
}
