//! A certificate for the loopback address, which each client is told to trust.

use data_encoding::BASE64;
use rcgen::PublicKeyData as _;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

pub(crate) struct Certificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// Base64 of the SHA-256 of the public key, as Chromium wants it.
    pub(crate) spki: String,
}

impl Certificate {
    /// Writes `cert.pem` and `key.pem` into a directory.
    pub(crate) fn write(dir: &Path) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).expect("cert.pem");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("key.pem");
        let spki = BASE64.encode(&Sha256::digest(made.signing_key.subject_public_key_info()));
        Self { cert, key, spki }
    }
}
