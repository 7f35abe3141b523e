//! One asset of a plan.

use crate::asset::Freshness;
use crate::destination::Destination;
use crate::sync::Arc;

/// An asset that the page is likely to pull in.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Candidate {
    /// The path with its query.
    pub path: Arc<str>,
    /// The destination that it is fetched as.
    pub destination: Destination,
    /// Whether it is fetched with request mode `cors`.
    pub cors: bool,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    /// How long its last response may be used.
    pub freshness: Freshness,
    /// The chance that a client with nothing in its cache needs it on this page, 0 to 1.
    pub probability: f32,
    /// That chance less what little evidence leaves open; see [`Config::z`](crate::Config::z).
    pub lower_bound: f32,
    /// How urgent the clients that fetch it without a hint find it (RFC 9218), by vote: 1, 2, 3 or 5.
    pub urgency: Option<u8>,
}

/// An asset that a client may hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// The path with its query.
    pub path: Arc<str>,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    /// Whether any visit says how often the page needs it. None does while every client that fetched it was told of it, or may
    /// hold others of its assets.
    pub has_evidence: bool,
    pub(crate) hash: u64,
}
