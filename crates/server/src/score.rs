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
}

/// First views of clients, and all views of clients less what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Scores {
    pub(crate) cold: Score,
    pub(crate) warm: Score,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) learner: Scores,
    pub(crate) baselines: BTreeMap<&'static str, Scores>,
    /// By day, as `2015-05-17`, UTC.
    pub(crate) days: BTreeMap<String, Scores>,
}
