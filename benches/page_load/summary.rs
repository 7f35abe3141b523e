//! Medians of what was measured.

use super::case::{Case, Visit};
use super::contest::Way;
use super::lane::Measured;
use super::run::Results;

/// The loads of one case in a few numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) loads: usize,
    /// Medians, ms.
    pub(crate) render: f64,
    pub(crate) complete: f64,
    /// From the quickest to the slowest render, as a share of the median.
    pub(crate) spread: f64,
    /// Medians, bytes.
    pub(crate) wasted: f64,
    pub(crate) data: f64,
    pub(crate) wire: f64,
    pub(crate) requests: f64,
}

impl Summary {
    pub(crate) fn of(loads: &[Measured]) -> Self {
        let of = |value: fn(&Measured) -> f64| median(loads.iter().map(value).collect());
        let renders: Vec<f64> = loads.iter().map(render).collect();
        Self {
            loads: loads.len(),
            render: of(render),
            complete: of(|one| one.load.complete.as_secs_f64() * 1_000.0),
            spread: spread(&renders),
            wasted: of(|one| one.load.wasted as f64),
            data: of(|one| one.load.data as f64),
            wire: of(|one| one.wire as f64),
            requests: of(|one| one.load.requests as f64),
        }
    }
}

impl Results {
    /// The summary of one case.
    pub(crate) fn get(
        &self,
        visit: Visit,
        (round_trip, rate, think): (u64, u64, u64),
        name: &str,
        way: Way,
    ) -> Option<Summary> {
        let is = |case: &Case| {
            case.visit == visit
                && (case.round_trip, case.rate, case.think) == (round_trip, rate, think)
                && case.contestant().name == name
                && case.way == way
        };
        self.measured.iter().find(|(case, _)| is(case)).map(|(_, loads)| Summary::of(loads))
    }

    /// The summaries of a visit over one link, in the order of the contestants.
    pub(crate) fn of(&self, visit: Visit, link: (u64, u64, u64)) -> Vec<(&'static str, Way, Summary)> {
        let is = |case: &Case| case.visit == visit && (case.round_trip, case.rate, case.think) == link;
        let own = self.measured.iter().filter(|(case, _)| is(case));
        own.map(|(case, loads)| (case.contestant().name, case.way, Summary::of(loads))).collect()
    }
}

fn render(one: &Measured) -> f64 {
    one.load.render.as_secs_f64() * 1_000.0
}

/// From the least to the most, as a share of the median.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let (least, most) = values.iter().fold((f64::MAX, 0.0), |(a, b): (f64, f64), value| (a.min(*value), b.max(*value)));
    (most - least) / median(values.to_vec())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
