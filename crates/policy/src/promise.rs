//! A pushed request.

use http::HeaderMap;
use http::uri::PathAndQuery;

use crate::priority::Priority;

/// A pushed request (RFC 9113, section 8.4; RFC 9114, section 4.6): GET, the scheme and authority of its page, no body.
#[derive(Clone, Debug)]
pub struct Promise<T> {
    /// The path and query, as the client would ask for them.
    pub path: PathAndQuery,
    /// Request fields, promised to the client and given to the service: those that select the response
    /// (`accept-encoding` and its like). A transport removes `cookie`, `authorization` and hop-by-hop fields.
    pub headers: HeaderMap,
    /// Priority of the response; the page's own if `None`. A push never goes before its page.
    pub priority: Option<Priority>,
    /// The policy's name for it.
    pub tag: T,
}

/// Marks a request that a transport made for a promise, in the extensions of the request. A service can tell it from
/// a request of the client, for example to leave it out of an access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed;
