//! How well page views were predicted.

use std::collections::BTreeMap;

use serde::Serialize;

/// How well views were predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Score {
    pub(crate) views: u64,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
    pub(crate) f1: f64,
    pub(crate) wasted_per_view: f64,
    /// Bytes of what was sent and not needed.
    pub(crate) wasted_bytes_per_view: f64,
    /// Recall of what a page is not drawn without: stylesheets, scripts and fonts.
    pub(crate) blocking_recall: f64,
}

/// First views of clients, and all views of clients less what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Scores {
    pub(crate) cold: Score,
    pub(crate) warm: Score,
}

/// The output of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// All assets whose lower bound is above `--threshold`.
    #[serde(flatten)]
    pub(crate) learner: Scores,
    /// The score of each outlet, with its threshold and within its budget.
    pub(crate) sent: BTreeMap<&'static str, Scores>,
    pub(crate) baselines: BTreeMap<&'static str, Scores>,
    /// By day, as `2015-05-17`, UTC.
    pub(crate) days: BTreeMap<String, Scores>,
}
