//! Proofs to an authority that a name is ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::sign::CertifiedKey;

/// The protocol of ALPN by which an authority asks for a proof in a handshake (RFC 8737, section 4).
pub(crate) const ALPN: &[u8] = b"acme-tls/1";

/// The path below which an authority asks for a proof over plain HTTP (RFC 8555, section 8.3).
pub(crate) const PATH: &str = "/.well-known/acme-challenge/";

/// Proofs, as long as an order waits for them to be looked at. One order at a time: there are as many as names in it.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    certificates: Mutex<HashMap<String, Arc<CertifiedKey>>>,
    tokens: Mutex<HashMap<String, String>>,
}

/// A proof that ends when this is dropped.
pub(crate) struct Proof<'a> {
    challenges: &'a Challenges,
    name: Option<String>,
    token: Option<String>,
}

impl Challenges {
    /// The certificate that a handshake with [`ALPN`] shows.
    pub(crate) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        lock(&self.certificates).get(&name.to_ascii_lowercase()).cloned()
    }

    /// The response to a request for `path`, if it is for an expected proof.
    pub(crate) fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(PATH)?;
        lock(&self.tokens).get(token).cloned()
    }

    /// Proves a name in handshakes, by a certificate that is made for it.
    pub(crate) fn over_tls(&self, name: &str, key: Arc<CertifiedKey>) -> Proof<'_> {
        lock(&self.certificates).insert(name.to_owned(), key);
        Proof { challenges: self, name: Some(name.to_owned()), token: None }
    }

    /// Proves a name over plain HTTP.
    pub(crate) fn over_http(&self, token: &str, key_authorization: &str) -> Proof<'_> {
        lock(&self.tokens).insert(token.to_owned(), key_authorization.to_owned());
        Proof { challenges: self, name: None, token: Some(token.to_owned()) }
    }
}

impl Drop for Proof<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            lock(&self.challenges.certificates).remove(name);
        }
        if let Some(token) = &self.token {
            lock(&self.challenges.tokens).remove(token);
        }
    }
}

/// The state behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_there_while_it_is_waited_for() {
        let challenges = Challenges::default();
        let proof = challenges.over_http("token", "token.thumb");
        assert_eq!(challenges.answer("/.well-known/acme-challenge/token").as_deref(), Some("token.thumb"));
        assert_eq!(challenges.answer("/.well-known/acme-challenge/other"), None);
        assert_eq!(challenges.answer("/token"), None);
        drop(proof);
        assert_eq!(challenges.answer("/.well-known/acme-challenge/token"), None);
    }
}
