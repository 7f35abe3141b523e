//! Limits of accepted connections, as the builder takes them.

use crate::builder::Builder;

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
    /// [`headstart_h2::Config`] with extended CONNECT, as [`Headstart::serve`](crate::Headstart::serve) takes WebSockets over HTTP/2 (RFC 8441).
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
