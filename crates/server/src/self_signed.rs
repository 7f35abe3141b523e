//! A certificate of our own for `localhost`, for who has no other.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls_pki_types::{ServerName, UnixTime};

use crate::state;
use crate::tls::{self, Identity};

/// The names that the certificate is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long it is valid. Browsers accept no certificate of more than 398 days.
const VALIDITY: Duration = Duration::from_secs(397 * 24 * 3600);

/// The certificate kept at `path`, or a new one if there is none, it cannot be used, or it has less than a day left.
///
/// One file holds key and certificate, so that the two cannot fall apart; its owner alone may read it. Clients that
/// are to trust it take the same file (`curl --cacert`).
///
/// # Errors
///
/// If the file cannot be read or written.
pub(crate) fn load_or_make(path: &Path, now: SystemTime) -> anyhow::Result<(Identity, Origin)> {
    if let Some(identity) = usable(path, now) {
        return Ok((identity, Origin::Kept));
    }
    let pem = make(now).context("cannot make a certificate")?;
    state::replace(path, pem.as_bytes()).with_context(|| format!("cannot write the certificate {}", path.display()))?;
    Ok((tls::read(path, path)?, Origin::New))
}

/// A certificate that is kept nowhere.
///
/// # Errors
///
/// If the system gives no random bytes.
pub(crate) fn for_now(now: SystemTime) -> anyhow::Result<Identity> {
    let pem = make(now).context("cannot make a certificate")?;
    tls::parse(pem.as_bytes(), pem.as_bytes())
}

/// The origin of the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From an earlier start: who trusted it then trusts it now.
    Kept,
    /// Made just now.
    New,
}

fn usable(path: &Path, now: SystemTime) -> Option<Identity> {
    if !fs::exists(path).ok()? {
        return None;
    }
    let identity = tls::read(path, path).ok()?;
    let still = |name: &&str| is_valid(&identity, name, now) && is_valid(&identity, name, now + DAY);
    if !NAMES.iter().all(still) {
        return None;
    }
    tls::certified(Identity { chain: identity.chain.clone(), key: identity.key.clone_key() }).ok()?;
    Some(identity)
}

/// Would a client that trusts this very certificate accept it for the name at that time?
fn is_valid(identity: &Identity, name: &str, at: SystemTime) -> bool {
    let verify = || {
        let [certificate] = &identity.chain[..] else {
            return None;
        };
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).ok()?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), tls::provider()).build().ok()?;
        let name = ServerName::try_from(name).ok()?;
        let at = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).ok()?);
        rustls::client::danger::ServerCertVerifier::verify_server_cert(&*verifier, certificate, &[], &name, &[], at)
            .ok()
    };
    verify().is_some()
}

/// Key and certificate, PEM.
fn make(now: SystemTime) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(String::from))?;
    params.distinguished_name.push(DnType::CommonName, "headstart on localhost");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // An hour back, for clients whose clocks are slow.
    params.not_before = (now - Duration::from_secs(3600)).into();
    params.not_after = (now - Duration::from_secs(3600) + VALIDITY).into();
    Ok(params.self_signed(&key)?.pem() + &key.serialize_pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("localhost.pem");
        let now = SystemTime::now();
        let (first, origin) = load_or_make(&path, now).unwrap();
        assert_eq!(origin, Origin::New);
        assert!(is_valid(&first, "localhost", now) && is_valid(&first, "::1", now));
        assert!(!is_valid(&first, "example.org", now));
        let (second, origin) = load_or_make(&path, now + 100 * DAY).unwrap();
        assert_eq!(origin, Origin::Kept);
        assert_eq!(first.chain, second.chain);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn renewed_when_of_no_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("localhost.pem");
        let now = SystemTime::now();
        let origin = |at| load_or_make(&path, at).unwrap().1;
        assert_eq!(origin(now), Origin::New);
        assert_eq!(origin(now + 396 * DAY), Origin::New);
        fs::write(&path, "garbage").unwrap();
        assert_eq!(origin(now), Origin::New);
        assert_eq!(origin(now), Origin::Kept);
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none/localhost.pem");
        let error = load_or_make(&path, SystemTime::now()).err().unwrap();
        assert!(format!("{error:#}").contains("none/localhost.pem"));
    }
}
