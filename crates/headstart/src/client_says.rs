//! A client's statements on its cache besides the cookie: that it uses none (a forced reload), or digests of it.

use headstart_gcs::{CacheDigests, Limits};
use headstart_learn::Site;
use http::HeaderMap;

use crate::client_cache::ClientCache;
use crate::client_hints::ClientHints;
use crate::connection_state::ConnectionState;
use crate::digests::Digests;
use crate::engine::Engine;
use crate::fingerprint::Fingerprint;

/// The field of draft-ietf-httpbis-cache-digest-00 to -02. No browser sends it; service workers and programs do.
const CACHE_DIGEST: &str = "cache-digest";
/// Digests of one request that are read, and their bounds.
const MAX_DIGESTS: usize = 4;
const MAX_DIGEST_BYTES: usize = 2048;
const MAX_DIGEST_KEYS: usize = 1024;

/// A client's statements on its cache.
#[derive(Default)]
pub(crate) struct ClientSays {
    /// Nothing of what it holds is used, or nothing may be subtracted.
    ignored: bool,
    pub(crate) digests: Option<Box<Digests>>,
}

impl ClientSays {
    /// `origin`: whether it is one of TLS, and its authority.
    pub(crate) fn of(engine: &Engine, hints: ClientHints, origin: (bool, &str), headers: &HeaderMap) -> Self {
        if hints.reload || engine.limits.shared_edge {
            return ClientSays { ignored: true, digests: None };
        }
        let mut fields = headers.get_all(CACHE_DIGEST).iter().peekable();
        if fields.peek().is_none() || hints.no_tracking {
            return ClientSays::default();
        }
        let mut digests = CacheDigests::new(MAX_DIGESTS, Limits::len(MAX_DIGEST_KEYS));
        for field in fields.filter(|field| field.len() <= MAX_DIGEST_BYTES) {
            digests.load(field.as_bytes());
        }
        let (secure, authority) = origin;
        let origin = format!("{}://{authority}", if secure { "https" } else { "http" });
        ClientSays { ignored: false, digests: Some(Box::new(Digests::new(origin, digests))) }
    }

    /// Whether nothing of what it holds counts.
    pub(crate) fn is_ignored(&self) -> bool {
        self.ignored
    }

    /// The assets that it holds, to be subtracted from a plan.
    pub(crate) fn cache<'a>(
        &'a self,
        connection: &'a ConnectionState,
        site: Option<Site>,
        fingerprint: Option<&'a Fingerprint>,
    ) -> ClientCache<'a> {
        let site = site.filter(|_| !self.ignored);
        ClientCache { connection, site, fingerprint, digests: self.digests.as_deref() }
    }
}
