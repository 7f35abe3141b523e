//! Recall and junk in the time after a change.

use super::outcome::{Outcome, helped, junk, recall};

/// The views after one change, in order.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// The number of a view, the mean recall of the views about it, and their mean junk.
    pub(crate) points: Vec<(f64, f64, f64)>,
}

impl Curve {
    pub(crate) fn of(name: &'static str, outcomes: &[Outcome]) -> Self {
        Self::of_all(name, outcomes, outcomes.len() as u64)
    }

    /// `outcomes` are those of several runs of about `views` views, one after another.
    pub(crate) fn of_all(name: &'static str, outcomes: &[Outcome], views: u64) -> Self {
        let runs: Vec<&[Outcome]> = outcomes.chunks((views as usize).max(1)).collect();
        let mut points = Vec::new();
        let mut first = 1;
        while first <= views as usize {
            let end = (first * 5 / 4).max(first + 1);
            let part = |run: &&[Outcome]| run.get(first - 1..(end - 1).min(run.len())).unwrap_or_default().to_vec();
            let part: Vec<Outcome> = runs.iter().flat_map(part).collect();
            if helped(&part).next().is_some() {
                let middle = ((first * (end - 1)) as f64).sqrt();
                points.push((middle, 100.0 * recall(&part), junk(&part)));
            }
            first = end;
        }
        Curve { name, points }
    }
}
