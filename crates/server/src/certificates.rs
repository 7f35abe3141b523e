//! Which certificate a client is shown, by the name that it asks for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Certificates by name. A name is looked up as sites are: itself first, then the longest wildcard that it lies below.
#[derive(Debug, Default)]
pub(crate) struct Table {
    names: HashMap<String, Arc<CertifiedKey>>,
    /// By what follows the `*.`.
    wildcards: HashMap<String, Arc<CertifiedKey>>,
    /// For all other names, and for clients that name none.
    default: Option<Arc<CertifiedKey>>,
}

impl Table {
    /// Adds a certificate for a name or a wildcard. The first of a name stays.
    pub(crate) fn insert(&mut self, host: &str, key: &Arc<CertifiedKey>) {
        let (table, name) = match host.strip_prefix("*.") {
            Some(below) => (&mut self.wildcards, below),
            None => (&mut self.names, host),
        };
        table.entry(name.to_owned()).or_insert_with(|| Arc::clone(key));
    }

    /// Sets the certificate for all other names, if there is none yet.
    pub(crate) fn otherwise(&mut self, key: &Arc<CertifiedKey>) {
        self.default.get_or_insert_with(|| Arc::clone(key));
    }

    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some()
    }

    fn find(&self, name: Option<&str>) -> Option<&Arc<CertifiedKey>> {
        name.and_then(|name| self.find_named(name)).or(self.default.as_ref())
    }

    fn find_named(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        if let Some(key) = self.names.get(name) {
            return Some(key);
        }
        if self.wildcards.is_empty() {
            return None;
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(key) = self.wildcards.get(parent) {
                return Some(key);
            }
            rest = parent;
        }
        None
    }

    /// Whether a request for `host` came in on a connection whose certificate is another's (RFC 9110, section
    /// 15.5.20): the client should open another connection and is shown the right one.
    pub(crate) fn is_misdirected(&self, server_name: Option<&str>, host: &str) -> bool {
        if self.names.is_empty() && self.wildcards.is_empty() {
            return false;
        }
        let lower;
        let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = host.to_ascii_lowercase();
            &*lower
        } else {
            host
        };
        if server_name == Some(host) {
            return false;
        }
        match (self.find(server_name), self.find(Some(host))) {
            (Some(shown), Some(right)) => !Arc::ptr_eq(shown, right),
            _ => false,
        }
    }
}

/// The table that handshakes look into. It can be exchanged while they do.
#[derive(Debug, Default)]
pub(crate) struct Certificates(ArcSwap<Table>);

impl Certificates {
    pub(crate) fn replace(&self, table: Table) {
        self.0.store(Arc::new(table));
    }

    /// See [`Table::is_misdirected`].
    pub(crate) fn is_misdirected(&self, server_name: Option<&str>, host: &str) -> bool {
        self.0.load().is_misdirected(server_name, host)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load().find(hello.server_name()).cloned()
    }
}

/// Files, and how they were when they were last looked at.
#[derive(Debug, Default)]
pub(crate) struct WatchedFiles(Vec<(PathBuf, Option<Stamp>)>);

type Stamp = (SystemTime, u64);

impl WatchedFiles {
    /// Watches the files as they are now.
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        Self(files.into_iter().map(|file| (file.clone(), stamp(&file))).collect())
    }

    /// Whether any file has changed since it was last asked. One `stat` for each; a file that is not there now, as
    /// while it is being replaced, has not changed.
    pub(crate) fn changed(&mut self) -> bool {
        let mut changed = false;
        for (path, last) in &mut self.0 {
            let now = stamp(path);
            if now.is_some() && now != *last {
                *last = now;
                changed = true;
            }
        }
        changed
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls;

    fn key() -> Arc<CertifiedKey> {
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pem");
        std::fs::write(&path, cert.pem() + &key.serialize_pem()).unwrap();
        tls::certified(tls::read(&path, &path).unwrap()).unwrap()
    }

    #[test]
    fn the_closest_name_wins() {
        let (a, wild, deep, default) = (key(), key(), key(), key());
        let mut table = Table::default();
        assert!(!table.has_default());
        table.insert("a.example", &a);
        table.insert("*.example", &wild);
        table.insert("*.b.example", &deep);
        table.otherwise(&default);
        for (name, expected) in [
            (Some("a.example"), &a),
            (Some("c.example"), &wild),
            (Some("x.y.example"), &wild),
            (Some("x.b.example"), &deep),
            (Some("example"), &default),
            (Some("b.test"), &default),
            (None, &default),
        ] {
            assert!(Arc::ptr_eq(table.find(name).unwrap(), expected), "{name:?}");
        }
    }

    #[test]
    fn a_name_of_another_certificate_is_misdirected() {
        let (a, b, default) = (key(), key(), key());
        let mut table = Table::default();
        table.otherwise(&default);
        assert!(!table.is_misdirected(Some("a.example"), "b.example"));
        table.insert("a.example", &a);
        table.insert("www.a.example", &a);
        table.insert("b.example", &b);
        for (server_name, host, misdirected) in [
            (Some("a.example"), "a.example", false),
            (Some("a.example"), "WWW.a.example", false),
            (Some("a.example"), "b.example", true),
            (Some("a.example"), "c.example", true),
            (Some("c.example"), "d.example", false),
            (None, "192.0.2.1", false),
            (None, "a.example", true),
        ] {
            assert_eq!(table.is_misdirected(server_name, host), misdirected, "{server_name:?} {host}");
        }
    }

    #[test]
    fn changes_are_seen_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, "1").unwrap();
        let mut watched = WatchedFiles::new(vec![path.clone()]);
        assert!(!watched.changed());
        std::fs::write(&path, "22").unwrap();
        assert!(watched.changed() && !watched.changed());
        std::fs::remove_file(&path).unwrap();
        assert!(!watched.changed());
        std::fs::write(&path, "333").unwrap();
        assert!(watched.changed());
    }
}
