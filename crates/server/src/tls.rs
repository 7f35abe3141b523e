//! TLS: which certificate, which versions, which protocols on top.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The key and the certificates that go with it, its own first.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Reads a certificate chain and its key.
///
/// # Errors
///
/// If a file cannot be read or holds no such thing; the message names the file.
pub(crate) fn read(cert: &Path, key: &Path) -> anyhow::Result<Identity> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(plain)
        .with_context(|| format!("cannot read the certificate {}", cert.display()))?;
    if chain.is_empty() {
        bail!("cannot read the certificate {}: no certificate in PEM form in it", cert.display());
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(plain)
        .with_context(|| format!("cannot read the private key {}", key.display()))?;
    Ok(Identity { chain, key })
}

/// TLS 1.3 and 1.2 with HTTP/2 and HTTP/1.1 on top. No early data: a replayed request would be learned twice.
///
/// # Errors
///
/// If the certificate is malformed, or the key is not its key.
pub(crate) fn server_config(identity: Identity) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                anyhow::anyhow!("the private key does not belong to the certificate")
            }
            other => other.into(),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The system's own words for a file that cannot be opened, without a second frame around them.
fn plain(error: pem::Error) -> anyhow::Error {
    match error {
        pem::Error::Io(error) => error.into(),
        pem::Error::NoItemsFound => anyhow::anyhow!("no such thing in PEM form in it"),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write_pair(directory: &Path, name: &str) {
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        fs::write(directory.join(format!("{name}.crt")), cert.pem()).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn load(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
        read(cert, key).and_then(server_config).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn pairs() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        write_pair(directory.path(), "a");
        write_pair(directory.path(), "b");
        fs::write(at("empty"), "").unwrap();
        fs::write(at("broken"), "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").unwrap();

        let config = load(&at("a.crt"), &at("a.key")).unwrap();
        assert_eq!(config.alpn_protocols, [&b"h2"[..], b"http/1.1"]);
        assert_eq!(config.max_early_data_size, 0);

        let error = |cert: &str, key: &str| load(&at(cert), &at(key)).unwrap_err();
        assert!(error("a.crt", "b.key").contains("does not belong"));
        assert!(error("none", "a.key").contains("none: No such file"));
        assert!(error("a.crt", "none").contains("private key"));
        assert!(error("empty", "a.key").contains("empty: no"));
        assert!(error("a.crt", "empty").contains("empty: no"));
        assert!(error("a.crt", "a.crt").contains("a.crt: no"));
        assert!(error("broken", "a.key").contains("broken"));
    }
}
