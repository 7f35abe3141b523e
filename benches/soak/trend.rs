//! Memory over time, and the line through it.

use std::time::Duration;

/// Measurements in the order in which they were made.
#[derive(Default)]
pub(crate) struct Trend {
    points: Vec<(Duration, u64)>,
}

impl Trend {
    pub(crate) fn note(&mut self, at: Duration, bytes: u64) {
        self.points.push((at, bytes));
    }

    /// How far the line of least squares through all after the warm-up rises, bytes.
    pub(crate) fn growth(&self, warm_up: Duration) -> f64 {
        let points: Vec<(f64, f64)> = self
            .points
            .iter()
            .filter(|(at, _)| *at >= warm_up)
            .map(|(at, bytes)| (at.as_secs_f64(), *bytes as f64))
            .collect();
        let count = points.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
        let (at, bytes) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|point| (point.0 - at).powi(2)).sum();
        let slope: f64 = points.iter().map(|point| (point.0 - at) * (point.1 - bytes)).sum::<f64>() / spread;
        let lasted = points.last().map_or(0.0, |last| last.0 - points[0].0);
        slope * lasted
    }

    /// Eleven measurements, evenly apart.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (Duration, u64)> {
        let last = self.points.len().saturating_sub(1);
        (0..=10).filter_map(move |tenth| self.points.get(last * tenth / 10).copied())
    }
}
