//! Metadata of an asset from its responses, as the learner keeps it.

use crate::asset::{Asset, Freshness};
use crate::destination::Destination;

/// Metadata of an asset from its responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Metadata {
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
    pub(crate) freshness: Freshness,
    pub(crate) personal: bool,
    pub(crate) bytes: u64,
    pub(crate) validator: u64,
}

impl From<&Asset<'_>> for Metadata {
    fn from(asset: &Asset<'_>) -> Self {
        Self {
            destination: asset.destination,
            cors: asset.cors,
            freshness: asset.freshness,
            personal: asset.personal,
            bytes: asset.bytes,
            validator: asset.validator,
        }
    }
}
