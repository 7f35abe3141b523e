//! Facts about the connection that a request came over, in the extensions of the request.

use std::net::{IpAddr, SocketAddr};

/// The address of the peer: of the client, or of the proxy in front of the server. Without it a crowd cannot be told
/// from one forger, so nothing is learned from a request that lacks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Marks a request that came over TLS. The target of an HTTP/1.1 request does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

/// The address of the client of a request that came through a trusted proxy, as that proxy names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);
