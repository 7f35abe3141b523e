//! An asset as a response describes it.

use crate::destination::Destination;

/// An asset and what its response said about it.
#[derive(Clone, Copy, Debug)]
pub struct Asset<'a> {
    /// The path with its query.
    pub path: &'a str,
    /// The destination that it was fetched as.
    pub destination: Destination,
    /// Whether the request mode was `cors`; a preload must then say `crossorigin`.
    pub cors: bool,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// The caller's hash of ETag, Last-Modified or length; 0 if unknown.
    pub validator: u64,
    /// How long the response may be used.
    pub freshness: Freshness,
    /// Whether the name or the response looks as if it was made for one person: the asset then
    /// needs eight networks to be shown, unless one is enough for all.
    pub personal: bool,
}

/// How long a response may be used by the client that has it (RFC 9111, section 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Freshness {
    /// Not without asking: `no-cache`, `max-age=0`, or nothing said of it. A browser that
    /// is hinted to it in a 103 asks for it twice.
    #[default]
    Stale,
    /// For some time.
    Fresh,
    /// For ever: it never changes (RFC 8246).
    Immutable,
}
