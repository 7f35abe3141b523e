//! Knowledge of a client's cache.

use headstart_learn::Site;

use crate::connection_state::ConnectionState;
use crate::digests::Digests;
use crate::fingerprint::Fingerprint;

/// The assets of one site that a client holds, by its connection's diary and by its cookie.
#[derive(Clone, Copy)]
pub(crate) struct ClientCache<'a> {
    pub(crate) connection: &'a ConnectionState,
    /// `None` for a site of which nothing is known.
    pub(crate) site: Option<Site>,
    pub(crate) fingerprint: Option<&'a Fingerprint>,
    /// Its `Cache-Digest` fields.
    pub(crate) digests: Option<&'a Digests>,
}

impl ClientCache<'_> {
    /// Whether nothing is known to be held, so that there is no need to ask for single assets.
    pub(crate) fn is_empty(&self) -> bool {
        !self.connection.holds_any() && self.digests.is_none() && self.fingerprint.is_none_or(Fingerprint::is_empty)
    }

    /// Whether the client holds this version of an asset.
    pub(crate) fn contains(&self, path: &str, validator: u64) -> bool {
        self.site.is_some_and(|site| self.connection.holds(site, path, validator))
            || self.fingerprint.is_some_and(|fingerprint| fingerprint.contains(path, validator))
            || self.digests.is_some_and(|digests| digests.contain(path))
    }
}
