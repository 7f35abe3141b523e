//! A site as callers name it.

/// A site (an authority), from [`Learner::site`](crate::Learner::site).
///
/// Only meaningful to the learner that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    pub(crate) index: u16,
    /// Keyed hash of the authority: the salt of every name on the site.
    pub(crate) salt: u64,
}
