//! Counts for operators.

/// What the learner holds and has done. Counts of events grow without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Visits closed that said nothing: not confirmed, or no asset loaded.
    pub silent: u64,
    /// Visits not counted because their network had voted lately.
    pub repeated: u64,
    /// Pages, templates and sections that gave way to others.
    pub evicted: u64,
    /// Newcomers that found no room.
    pub refused: u64,
    /// Assets recognised under a new fingerprint.
    pub renamed: u64,
}
