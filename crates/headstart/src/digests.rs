//! Digests of a client's cache, as its `Cache-Digest` fields give them.

use headstart_gcs::{CacheDigests, Freshness};

/// Digests of the URLs that a client holds.
pub(crate) struct Digests {
    /// Scheme and authority of the site.
    origin: Box<str>,
    digests: CacheDigests,
}

impl Digests {
    /// `origin` is scheme and authority of the site.
    pub(crate) fn new(origin: String, digests: CacheDigests) -> Self {
        Digests { origin: origin.into(), digests }
    }

    /// Whether they contain a path with query of the site.
    pub(crate) fn contain(&self, path: &str) -> bool {
        self.digests.lookup(format!("{}{path}", self.origin).as_bytes()) == Freshness::Fresh
    }
}
