//! The plan of a page: the assets to send early, in order of need.

use std::fmt;
use std::ops::Deref;

use crate::candidate::{Candidate, Known};
use crate::published::Published;
use crate::sync::Arc;

/// The candidates for a page, the one needed first in front. A cheap clone of what
/// was published; it does not change once taken.
#[derive(Clone, Default)]
pub struct Plan {
    pub(crate) published: Option<Arc<Published>>,
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

    /// The chance, 0 to 1, with which a view of the page should be held out, as far as the page goes;
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
