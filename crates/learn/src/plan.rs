//! What to send early for a page, in order of need.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::asset::Freshness;
use crate::destination::Destination;
use crate::published::Published;
use crate::sync::Arc;

/// The candidates for a page, the one needed first in front. A cheap clone of what
/// was published; it does not change once taken.
#[derive(Clone, Default)]
pub struct Plan {
    pub(crate) published: Option<Arc<Published>>,
}

/// An asset that the page is likely to pull in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// The path with its query.
    pub path: Arc<str>,
    /// What it is fetched as.
    pub destination: Destination,
    /// Whether it is fetched with request mode `cors`.
    pub cors: bool,
    /// Length of the body in bytes; 0 if unknown.
    pub bytes: u64,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    /// How long its last response may be used.
    pub freshness: Freshness,
    /// The chance that a client with nothing in its cache needs it on this page.
    pub probability: f32,
    /// That chance less what little evidence leaves open; see [`Config::z`](crate::Config::z).
    pub lower_bound: f32,
    /// How urgent the clients that fetch it without a hint find it (RFC 9218), by vote: 1, 2, 3 or 5.
    pub urgency: Option<u8>,
    /// How long after the navigation it is asked for, on average, to within 64 ms.
    pub delay: Duration,
}

/// An asset that a client may hold.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// The path with its query.
    pub path: Arc<str>,
    /// The caller's hash of what tells versions apart; 0 if unknown.
    pub validator: u64,
    pub(crate) hash: u64,
}

impl Plan {
    /// The candidates in order of need.
    pub fn candidates(&self) -> &[Candidate] {
        self.published.as_ref().map_or(&[], |published| published.candidates())
    }

    /// Every asset that the page is known to need now and then and that may be shown, planned or
    /// not: what a client may hold.
    pub fn known(&self) -> &[Known] {
        self.published.as_ref().map_or(&[], |published| published.known())
    }

    /// The chance with which a view of the page should be held out, as far as the page goes;
    /// [`Learner::holdout_chance`](crate::Learner::holdout_chance) bounds it for the site.
    pub fn holdout_chance(&self) -> f32 {
        self.published.as_ref().map_or(0.0, |published| published.holdout_chance())
    }
}

impl Deref for Plan {
    type Target = [Candidate];

    fn deref(&self) -> &[Candidate] {
        self.candidates()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.candidates()).finish()
    }
}

impl From<Arc<Published>> for Plan {
    fn from(published: Arc<Published>) -> Self {
        Self { published: Some(published) }
    }
}
