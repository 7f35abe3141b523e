//! Kinds of lines in an access log.

/// Counts of the lines of a log, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) lines: u64,
    pub(crate) malformed: u64,
    /// In a format that carries no Referer.
    pub(crate) without_referer: u64,
    /// Of another name than those of the site, as far as the log says.
    pub(crate) elsewhere: u64,
    pub(crate) bots: u64,
    /// Not GET, or not answered with 200 or 304.
    pub(crate) unsuitable: u64,
    /// Answered with 404 or 410.
    pub(crate) gone: u64,
    /// Icons that belong to no page.
    pub(crate) icons: u64,
    pub(crate) pages: u64,
    pub(crate) assets: u64,
    /// Assets that belong to no view.
    pub(crate) unattributed: u64,
    /// How far the times of lines may be off, ms; 0 for a log that is in order.
    pub(crate) disorder: u64,
}
