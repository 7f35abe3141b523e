//! How long views took, with help and without.

use std::time::Duration;

use super::ring::Ring;

/// Views with help that are kept for each hold-out.
const PER_HOLDOUT: usize = 3;

/// Durations from the navigation to the last asset that it needed.
///
/// Each held-out view is joined by the next three that got help, and others are passed over: so both sides are from the
/// same days, however rare hold-outs are. Which views are held out is drawn, so who comes next is as good as any.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    with: Ring<u32>,
    without: Ring<u32>,
    /// Views with help that are wanted now.
    wanted: usize,
}

impl Comparison {
    /// Room for so many hold-outs.
    pub(crate) fn new(holdouts: usize) -> Self {
        Self { with: Ring::new(PER_HOLDOUT * holdouts), without: Ring::new(holdouts), wanted: PER_HOLDOUT }
    }

    pub(crate) fn add(&mut self, held_out: bool, complete: Duration) {
        let micros = u32::try_from(complete.as_micros()).unwrap_or(u32::MAX);
        if held_out {
            self.without.push(micros);
            // Hold-outs in a row wait for their company, a few at most.
            self.wanted = (self.wanted + PER_HOLDOUT).min(4 * PER_HOLDOUT);
        } else if self.wanted > 0 {
            self.wanted -= 1;
            self.with.push(micros);
        }
    }

    /// Microseconds of views that got help.
    pub(crate) fn with(&self) -> &[u32] {
        self.with.values()
    }

    /// Microseconds of views that were held out.
    pub(crate) fn without(&self) -> &[u32] {
        self.without.values()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(holdouts: usize) -> usize {
        (1 + PER_HOLDOUT) * holdouts * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_from_the_same_time() {
        let mut comparison = Comparison::new(10);
        // Help gets better with time; one view in 32 is held out.
        for view in 0..32 * 100_u64 {
            comparison.add(view % 32 == 31, Duration::from_micros(view));
        }
        assert_eq!((comparison.with().len(), comparison.without().len()), (30, 10));
        let oldest = |values: &[u32]| values.iter().min().copied().unwrap();
        // The views after the hold-out before the oldest that is kept.
        assert!(oldest(comparison.with()).abs_diff(oldest(comparison.without())) <= 64);
    }

    #[test]
    fn without_holdouts_a_few_views_are_kept() {
        let mut comparison = Comparison::new(10);
        for _ in 0..100 {
            comparison.add(false, Duration::from_millis(1));
        }
        assert_eq!(comparison.with().len(), PER_HOLDOUT);
    }
}
