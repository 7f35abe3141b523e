//! How the transfer of a response ended.

/// How the transfer of a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// The whole response was handed to the connection.
    Complete,
    /// It failed, or the client cancelled it.
    Incomplete,
}
