//! TLS: which certificate, which versions, which protocols on top.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::certificates::Certificates;
use crate::challenges;

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
    Ok(Identity { chain: read_chain(cert)?, key: read_key(key)? })
}

/// The same from the content of two files.
///
/// # Errors
///
/// If there is no such thing in them.
pub(crate) fn parse(cert: &[u8], key: &[u8]) -> anyhow::Result<Identity> {
    let chain = CertificateDer::pem_slice_iter(cert).collect::<Result<Vec<_>, _>>().map_err(plain)?;
    Ok(Identity { chain, key: PrivateKeyDer::from_pem_slice(key).map_err(plain)? })
}

/// Reads a certificate and those that it was signed with.
///
/// # Errors
///
/// If the file cannot be read or holds none; the message names it.
pub(crate) fn read_chain(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(plain)
        .with_context(|| format!("cannot read the certificate {}", path.display()))?;
    if chain.is_empty() {
        bail!("cannot read the certificate {}: no certificate in PEM form in it", path.display());
    }
    Ok(chain)
}

/// Reads a private key.
///
/// # Errors
///
/// If the file cannot be read or holds none; the message names it.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(plain)
        .with_context(|| format!("cannot read the private key {}", path.display()))
}

/// Makes a certificate ready for handshakes.
///
/// # Errors
///
/// If it is malformed, or the key is not its key.
pub(crate) fn certified(identity: Identity) -> anyhow::Result<Arc<CertifiedKey>> {
    match CertifiedKey::from_der(identity.chain, identity.key, &provider()) {
        Ok(key) => Ok(Arc::new(key)),
        Err(rustls::Error::InconsistentKeys(_)) => bail!("the private key does not belong to the certificate"),
        Err(other) => Err(other.into()),
    }
}

/// Whether a certificate is for a host. A wildcard (`*.name`) is answered yes: its certificate may be for some of the names.
pub(crate) fn is_for(key: &CertifiedKey, host: &str) -> bool {
    if host.starts_with('*') {
        return true;
    }
    let Some(certificate) = key.cert.first() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let (Ok(certificate), Ok(name)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(host)) else {
        return false;
    };
    rustls::client::verify_server_name(&certificate, &name).is_ok()
}

/// Choices of TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    /// TLS 1.2 beside 1.3; nothing older is spoken in any case.
    pub(crate) allow_tls12: bool,
    /// Resumption of sessions, which saves a round trip and a signature: tickets whose key is drawn at random and
    /// exchanged every six hours, and for TLS 1.2 also sessions kept here, 256 at most.
    pub(crate) resumption: bool,
}

/// From when to when a certificate is valid.
pub(crate) fn validity(certificate: &CertificateDer<'_>) -> Option<(SystemTime, SystemTime)> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).ok()?;
    // Nothing shows the two times but the complaint about another one, which comes before any other.
    let complaint = |seconds| {
        let (at, provider) = (UnixTime::since_unix_epoch(Duration::from_secs(seconds)), provider());
        let algorithms = provider.signature_verification_algorithms.all;
        match rustls::client::verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], at, algorithms) {
            Err(rustls::Error::InvalidCertificate(complaint)) => Some(complaint),
            _ => None,
        }
    };
    let time = |at: UnixTime| SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_secs());
    // The beginning of Unix time, and the end of the year 9999.
    match (complaint(0)?, complaint(253_402_300_799)?) {
        (
            CertificateError::NotValidYetContext { not_before, .. },
            CertificateError::ExpiredContext { not_after, .. },
        ) => Some((time(not_before), time(not_after))),
        _ => None,
    }
}

/// TLS with HTTP/2 and HTTP/1.1 on top. No early data: a replayed request would be learned twice.
///
/// # Errors
///
/// If the system gives no random bytes.
pub(crate) fn server_config(certificates: Arc<Certificates>, choices: Choices) -> anyhow::Result<Arc<ServerConfig>> {
    let versions: &[_] = if choices.allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    // The last is for authorities that look whether a name is ours: they take no other, and ask for nothing over it.
    config.alpn_protocols = [&b"h2"[..], b"http/1.1", challenges::ALPN].map(<[u8]>::to_vec).to_vec();
    if choices.resumption {
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    } else {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
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

    fn load(cert: &Path, key: &Path) -> Result<Arc<CertifiedKey>, String> {
        read(cert, key).and_then(certified).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn choices() {
        let config =
            |allow_tls12, resumption| server_config(Arc::default(), Choices { allow_tls12, resumption }).unwrap();
        let usual = config(true, true);
        assert_eq!(usual.alpn_protocols, [&b"h2"[..], b"http/1.1", b"acme-tls/1"]);
        assert_eq!(usual.max_early_data_size, 0);
        assert!(usual.ticketer.enabled());
        let strict = config(false, false);
        assert!(!strict.ticketer.enabled());
        assert_eq!(strict.send_tls13_tickets, 0);
    }

    #[test]
    fn the_time_of_a_certificate_is_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2024, 5, 29);
        let certificate = params.self_signed(&key).unwrap();
        let (from, to) = validity(certificate.der()).unwrap();
        assert_eq!(httpdate::fmt_http_date(from), "Thu, 29 Feb 2024 00:00:00 GMT");
        assert_eq!(httpdate::fmt_http_date(to), "Wed, 29 May 2024 00:00:00 GMT");
    }

    #[test]
    fn pairs() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        write_pair(directory.path(), "a");
        write_pair(directory.path(), "b");
        fs::write(at("empty"), "").unwrap();
        fs::write(at("broken"), "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").unwrap();

        assert_eq!(load(&at("a.crt"), &at("a.key")).unwrap().cert.len(), 1);
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
