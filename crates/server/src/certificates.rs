//! The choice of a certificate by the name that a client asks for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::challenges::{self, Challenges};

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

    /// Whether all names have one certificate.
    fn is_for_all(&self) -> bool {
        self.names.is_empty() && self.wildcards.is_empty()
    }
}

/// Certificates that are ordered: those that there are, and the names that are waited for.
#[derive(Debug, Default)]
struct Issued {
    names: HashMap<String, Option<Arc<CertifiedKey>>>,
    /// The first of them that there is.
    default: Option<Arc<CertifiedKey>>,
}

impl Issued {
    fn new(names: &[String], mut kept: HashMap<String, Arc<CertifiedKey>>) -> Self {
        let default = names.iter().find_map(|name| kept.get(name)).cloned();
        Self { names: names.iter().map(|name| (name.clone(), kept.remove(name))).collect(), default }
    }
}

/// The certificates that handshakes choose from. They can be exchanged while handshakes run.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    /// Those that the operator has named.
    table: ArcSwap<Table>,
    issued: ArcSwap<Issued>,
    challenges: Challenges,
}

impl Certificates {
    pub(crate) fn replace(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    /// Waits for the certificates of these names; `kept` are there already.
    pub(crate) fn manage(&self, names: &[String], kept: HashMap<String, Arc<CertifiedKey>>) {
        self.issued.store(Arc::new(Issued::new(names, kept)));
    }

    /// Shows a certificate from now on. Whether it takes the place of another one.
    pub(crate) fn issue(&self, name: &str, key: Arc<CertifiedKey>) -> bool {
        let mut issued =
            Issued { names: self.issued.load().names.clone(), default: self.issued.load().default.clone() };
        let first = issued.default.get_or_insert_with(|| Arc::clone(&key));
        let replaced = issued.names.insert(name.to_owned(), Some(Arc::clone(&key))).flatten();
        if replaced.as_ref().is_some_and(|replaced| Arc::ptr_eq(replaced, first)) {
            issued.default = Some(key);
        }
        self.issued.store(Arc::new(issued));
        replaced.is_some()
    }

    /// Proofs to an authority that a name is ours.
    pub(crate) fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// The certificate for a name: what the operator has named for it, what was ordered for it, what is for a wildcard above
    /// it, what is for all. None for a name whose certificate is still waited for: another's would be a warning in browsers.
    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let (table, issued) = (self.table.load(), self.issued.load());
        if let Some(name) = name
            && let Some(own) = issued.names.get(name)
            && !table.names.contains_key(name)
        {
            return own.clone();
        }
        table.find(name).or(issued.default.as_ref()).cloned()
    }

    /// Whether a request for `host` came in on a connection whose certificate is another's (RFC 9110, section
    /// 15.5.20): the client should connect anew, and be shown the right one.
    pub(crate) fn is_misdirected(&self, server_name: Option<&str>, host: &str) -> bool {
        if self.table.load().is_for_all() && self.issued.load().names.is_empty() {
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
            (Some(shown), Some(right)) => !Arc::ptr_eq(&shown, &right),
            // The right one is not there yet.
            (Some(_), None) => true,
            _ => false,
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == challenges::ALPN)) {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.find(hello.server_name())
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
        let certificates = Certificates::default();
        assert!(!certificates.is_misdirected(Some("a.example"), "b.example"));
        table.insert("a.example", &a);
        table.insert("www.a.example", &a);
        table.insert("b.example", &b);
        certificates.replace(table);
        for (server_name, host, misdirected) in [
            (Some("a.example"), "a.example", false),
            (Some("a.example"), "WWW.a.example", false),
            (Some("a.example"), "b.example", true),
            (Some("a.example"), "c.example", true),
            (Some("c.example"), "d.example", false),
            (None, "192.0.2.1", false),
            (None, "a.example", true),
        ] {
            assert_eq!(certificates.is_misdirected(server_name, host), misdirected, "{server_name:?} {host}");
        }
    }

    #[test]
    fn what_is_ordered_is_shown_once_it_is_there() {
        let (own, other, first, second) = (key(), key(), key(), key());
        let certificates = Certificates::default();
        let mut table = Table::default();
        table.insert("own.example", &own);
        table.insert("*.example", &other);
        certificates.replace(table);
        let names = ["a.example", "b.example", "own.example"].map(str::to_owned);
        certificates.manage(&names, HashMap::new());
        let is = |name: Option<&str>, key: Option<&Arc<CertifiedKey>>| {
            let found = certificates.find(name);
            assert!(found.as_ref().map(Arc::as_ptr) == key.map(Arc::as_ptr), "{name:?}");
        };
        is(Some("a.example"), None);
        is(Some("own.example"), Some(&own));
        is(Some("c.example"), Some(&other));
        is(None, None);
        assert!(!certificates.issue("a.example", Arc::clone(&first)));
        is(Some("a.example"), Some(&first));
        is(Some("b.example"), None);
        is(None, Some(&first));
        assert!(certificates.is_misdirected(Some("a.example"), "b.example"));
        assert!(certificates.issue("a.example", Arc::clone(&second)));
        is(Some("a.example"), Some(&second));
        is(None, Some(&second));
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
