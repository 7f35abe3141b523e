//! Counts for operators.

/// Contents and activity of the learner. Counts of events grow without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// Sites registered.
    pub sites: usize,
    /// Pages, templates and sections held.
    pub pages: usize,
    /// Assets held, shown or not.
    pub assets: usize,
    /// Assets that have passed the network gate.
    pub shown_assets: usize,
    /// Edges from pages, templates and sections to assets.
    pub edges: usize,
    /// Visits open now.
    pub open_visits: usize,
    /// Plans kept ready.
    pub plans: usize,
    /// Bytes of heap by the learner's own account; at most
    /// [`Config::memory_bytes`](crate::Config::memory_bytes).
    pub bytes: usize,
    /// Visits learned.
    pub learned: u64,
    /// Pages, templates and sections that gave way to others.
    pub evicted: u64,
    /// Assets recognised under a new fingerprint.
    pub renamed: u64,
    /// Requests for assets that named their page in full, of a learner that [gathers](crate::Learner::accumulate) for others.
    pub named_assets: u64,
    /// Those of them whose page the client did not ask for here within the hour: it did so at another server. Of clients
    /// with such assets, and of all while they are more than 5 %, only what they fetched is learned.
    pub orphans: u64,
    /// Counts of what was not learned, by reason.
    pub reasons: Reasons,
}

/// Reasons of the caller's that are told apart; see [`Learner::refused`](crate::Learner::refused).
pub(crate) const REFUSALS: usize = 16;

/// Why the visits and assets of one page were not learned. The counts are kept for the pages that have the most of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PageReasons {
    /// Reasons of the learner; `few_networks` is not counted by page, as [`Knowledge`](crate::Knowledge) says it.
    pub reasons: Reasons,
    /// Assets that were refused by the caller, by the number of its reason: see [`Learner::refused`](crate::Learner::refused).
    pub refused: [u64; REFUSALS],
}

/// Why something was not learned: how often each reason held. Grows without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Reasons {
    /// Visits whose page was not answered as a page, or whose name is too long.
    pub not_a_page: u64,
    /// Visits on which no asset was loaded.
    pub no_assets: u64,
    /// Visits whose network had voted on the page lately.
    pub voted: u64,
    /// Pages and assets that found no room in the tables.
    pub no_room: u64,
    /// Assets that found no room on their page.
    pub page_full: u64,
    /// Requests for assets that belong to no open visit.
    pub no_visit: u64,
    /// Requests for assets that may belong to several visits.
    pub ambiguous: u64,
    /// Assets that were asked for after their page had fallen silent.
    pub late: u64,
    /// Views of clients of whose caches nothing is known: only what they fetched was learned.
    pub cache_unknown: u64,
    /// Learned visits to pages that have not passed the network gate.
    pub few_networks: u64,
}
