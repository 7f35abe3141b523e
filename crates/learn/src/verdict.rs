//! The decision on an asset.

/// Whether an asset is in the plan, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Verdict {
    /// It never occurs on one view with another that is as likely: which of them a view needs is
    /// not known.
    Alternative,
    /// The lower bound is below [`Config::hint_threshold`](crate::Config::hint_threshold).
    BelowThreshold,
    /// The plan is full; see [`Config::publish`](crate::Config::publish).
    BeyondLimit,
    /// Fewer than [`Config::min_networks`](crate::Config::min_networks) asked for it on this page.
    FewNetworks,
    /// Fewer than [`Config::min_visits`](crate::Config::min_visits) of the page.
    FewVisits,
    /// It is asked for only after the page has fallen silent, and not on nearly every view.
    Late,
    /// It is in the plan.
    Planned,
}
