//! Settings of accepted connections, checked once.

use crate::admission::Admission;
use crate::build_error::BuildError;
use crate::connections::Connections;
use crate::serving::PART;
use headstart_policy::Shares;

/// Settings of [`Headstart::serve`](crate::Headstart::serve).
pub(crate) struct ServingSettings {
    pub(crate) h2: headstart_h2::Config,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: Option<u32>,
    /// `None` is [`REQUESTS_A_CONNECTION`] for each connection, and at least [`LEAST_REQUESTS`].
    pub(crate) requests: Option<usize>,
}

/// Requests under way at once, on average of all connections that there may be.
const REQUESTS_A_CONNECTION: usize = 2;
const LEAST_REQUESTS: usize = 4096;
/// Requests that wait for their client's share; of one client half of the room that is left.
const MAX_WAITING: usize = 4096;

impl Default for ServingSettings {
    fn default() -> Self {
        let mut h2 = headstart_h2::Config::default();
        h2.extended_connect = true;
        ServingSettings { h2, connections: 10_000, connections_per_address: None, requests: None }
    }
}

impl ServingSettings {
    pub(crate) fn build(self) -> Result<Connections, BuildError> {
        if !(1..=tokio::sync::Semaphore::MAX_PERMITS).contains(&self.connections) {
            return Err(BuildError::setting("max connections", "has to be at least 1"));
        }
        if self.connections_per_address == Some(0) {
            return Err(BuildError::setting("max connections per address", "has to be at least 1"));
        }
        if self.requests == Some(0) {
            return Err(BuildError::setting("max requests", "has to be at least 1"));
        }
        let most = self.connections.saturating_mul(REQUESTS_A_CONNECTION).max(LEAST_REQUESTS);
        let requests = self.requests.unwrap_or(most);
        let admission = Admission::new(self.connections, self.connections_per_address);
        Ok(Connections::new(self.h2, admission, Shares::of_free(requests, PART, requests.min(MAX_WAITING))))
    }
}
