//! Settings of accepted connections, checked once.

use crate::admission::Admission;
use crate::build_error::BuildError;
use crate::builder::Builder;
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
        Ok(Connections::new(self.h2, admission, Shares::of_free(requests, PART, requests)))
    }
}

/// Limits of [`Headstart::serve`](crate::Headstart::serve).
impl Builder {
    /// Connections at once, over all listeners. 10,000; idle, each costs some kilobytes. When all slots are taken, an
    /// idle connection is closed for a newcomer; if none is idle, newcomers wait.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.serving.connections = connections;
        self
    }

    /// A fixed limit for the connections of one address (of one /64 in IPv6); more are closed. By default an address
    /// has a share of what is free: it may open another connection while it has fewer than a quarter of the free
    /// slots, and always one. Trusted proxies have no such limit.
    pub fn max_connections_per_address(mut self, connections: u32) -> Self {
        self.serving.connections_per_address = Some(connections);
        self
    }

    /// Requests under way at once, over all listeners. Two for each of [`max_connections`](Self::max_connections), and at
    /// least 4,096.
    ///
    /// Each client has a share, over all of its connections: it may have another request while it has fewer than an eighth
    /// of the free ones under way, and always one. Further ones wait for two seconds at most, and are then answered with 429
    /// and `Retry-After`, or 503 if there is none for anybody. A client is an address, in IPv6 a /64; behind a trusted
    /// proxy it is whom that names.
    pub fn max_requests(mut self, requests: usize) -> Self {
        self.serving.requests = Some(requests);
        self
    }

    /// Changes the limits of HTTP/2 connections. The closure gets the present ones, which are at first those of
    /// [`headstart_h2::Config`] with extended CONNECT, as [`Headstart::serve`](crate::Headstart::serve)(crate::Headstart::serve) takes WebSockets over HTTP/2 (RFC 8441).
    ///
    /// ```
    /// use headstart::Headstart;
    ///
    /// let headstart = Headstart::builder().h2(|h2| h2.max_concurrent_streams = 64).build()?;
    /// # Ok::<(), headstart::BuildError>(())
    /// ```
    pub fn h2(mut self, change: impl FnOnce(&mut headstart_h2::Config)) -> Self {
        change(&mut self.serving.h2);
        self
    }
}
