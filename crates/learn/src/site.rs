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

/// The result of showing a page of a site, from [`Learner::shown`](crate::Learner::shown).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// The site, if it has a place.
    pub site: Option<Site>,
    /// The authority of the site that lost its place to this one, and all that was known of it.
    pub displaced: Option<Box<str>>,
}
