//! The sender of a request.

use std::net::IpAddr;

use headstart_learn::{ConnectionId, NetworkId};

/// The client of one request: the peer of its connection, or whom a trusted proxy names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requester {
    pub(crate) address: IpAddr,
    pub(crate) network: NetworkId,
    /// The connection that its requests share; `None` behind a trusted proxy, whose connections carry many clients.
    pub(crate) connection: Option<ConnectionId>,
}
