//! What is known of a client's cache.

use headstart_learn::Site;

use crate::connection_state::ConnectionState;
use crate::fingerprint::Fingerprint;

/// The assets of one site that a client holds, by its connection's diary and by its cookie.
#[derive(Clone, Copy)]
pub(crate) struct ClientCache<'a> {
    pub(crate) connection: &'a ConnectionState,
    pub(crate) site: Site,
    pub(crate) fingerprint: Option<&'a Fingerprint>,
}

impl ClientCache<'_> {
    /// Whether the client holds this version of an asset.
    pub(crate) fn contains(&self, path: &str, validator: u64) -> bool {
        self.connection.holds(self.site, path, validator)
            || self.fingerprint.is_some_and(|fingerprint| fingerprint.contains(path, validator))
    }
}
