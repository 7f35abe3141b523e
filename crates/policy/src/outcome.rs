//! The outcome of a promise.

/// The outcome of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The client cancelled it.
    Cancelled(CancelCode),
    /// The body failed on the server's side, or was larger than the connection's budget allows, or the page with which
    /// it was promised came to nothing.
    Failed,
    /// The whole response was written.
    Finished,
    /// The connection ended first, or the client opened no window for it in time.
    Unfinished,
}

/// With which error code a client cancelled a pushed response. Each transport maps its own codes to these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelCode {
    /// The client has the response or has no use for it: CANCEL (RFC 9113, section 7), H3_REQUEST_CANCELLED
    /// (RFC 9114, section 8.1).
    Cancel,
    /// The client did not look at it: REFUSED_STREAM, H3_REQUEST_REJECTED.
    Refused,
    /// Any other code, as the transport numbers it.
    Other(u64),
}
