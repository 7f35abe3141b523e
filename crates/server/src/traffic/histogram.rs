//! How long things took, in buckets that never need a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, microseconds: from what memory answers in to what a client gives up on. Each is at most
/// 2.5 times the one before.
const BOUNDS: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// A histogram of durations. Observing is two atomic additions.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// One more than there are bounds: what took longer than the last.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// The values of a histogram at one moment, as the exposition formats want them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistogramReading {
    /// Seconds of all observations.
    pub(crate) sum: f64,
    pub(crate) count: u64,
    /// Upper bound in seconds and number in this bucket alone; the last bound is infinite.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl Histogram {
    pub(crate) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.partition_point(|bound| *bound < micros);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> HistogramReading {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<_> =
            bounds.zip(&self.buckets).map(|(bound, count)| (bound, count.load(Ordering::Relaxed))).collect();
        HistogramReading {
            sum: self.micros.load(Ordering::Relaxed) as f64 / 1e6,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

impl HistogramReading {
    /// About the duration in seconds that `share` of the observations stayed below, by linear interpolation within a
    /// bucket; `None` without observations.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = share * self.count as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        for (bound, count) in &self.buckets {
            let here = *count as f64;
            if here > 0.0 && below + here >= wanted {
                // Nothing is known above the last bound.
                let upper = if bound.is_finite() { *bound } else { lower };
                return Some(lower + (upper - lower) * ((wanted - below) / here).clamp(0.0, 1.0));
            }
            below += here;
            lower = *bound;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_belongs_to_its_own_bucket() {
        let histogram = Histogram::default();
        for micros in [0, 50, 51, 10_000_000, 10_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        let counts: Vec<_> = reading.buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(reading.count, 5);
        assert!((reading.sum - 20.000_102).abs() < 1e-9, "{}", reading.sum);
        assert_eq!(reading.buckets.first().map(|(bound, _)| *bound), Some(0.000_05));
    }

    #[test]
    fn quantiles_lie_in_their_bucket() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile(0.5), None);
        for micros in 1..=1000 {
            histogram.observe(Duration::from_micros(micros));
        }
        let half = histogram.read().quantile(0.5).unwrap();
        assert!((half - 0.0005).abs() < 1e-6, "{half}");
        histogram.observe(Duration::from_secs(100));
        assert_eq!(histogram.read().quantile(1.0), Some(10.0));
    }
}
