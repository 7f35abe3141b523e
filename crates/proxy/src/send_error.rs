//! Why a request got no response from one connection.

use super::upload::Upload;

/// Says whether the server may have seen the request.
pub(super) enum SendError {
    /// It has not, or has done nothing with it: it may be sent again, with this content as far as there was any.
    Unsent(Option<Upload>),
    /// The response was not HTTP.
    Malformed,
    /// The head was larger than allowed.
    HeadTooLarge,
    /// The connection ended.
    Closed,
}
