//! Uses of the markup of pages.

/// Switches for the uses of the markup of pages; see [`Builder::markup`](crate::Builder::markup). All are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches, independent of each other")]
#[non_exhaustive]
pub struct Markup {
    /// Pages are read at all. Without it nothing is copied.
    pub read: bool,
    /// Hints carry the attributes that the page gives its assets, and what it puts off or no hint expresses is not
    /// hinted.
    pub attributes: bool,
    /// An asset that the page no longer names is not sent.
    pub changes: bool,
    /// A public page is helped from its first views on by what it says itself.
    pub cold_start: bool,
    /// At most four other origins are named by `rel=preconnect`.
    pub preconnect: bool,
}

impl Default for Markup {
    fn default() -> Self {
        Markup { read: true, attributes: true, changes: true, cold_start: true, preconnect: true }
    }
}
