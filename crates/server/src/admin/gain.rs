//! What the help is worth: views that got it against hold-outs.

use super::ledger::Comparison;

/// Views of each kind below which nothing is claimed.
pub(crate) const ENOUGH: usize = 12;
/// Bootstrap samples. With 999 the ends of the interval are the 25th value from either end.
const ROUNDS: usize = 999;

/// The difference that help makes to a page, or to all.
///
/// The time is that from a navigation to the last asset it needed, of clients that held nothing; the middle is the
/// median, as a few slow clients would drown the rest in a mean. The interval is the 95% percentile bootstrap of the
/// difference of the medians (Efron, "Bootstrap methods: another look at the jackknife", 1979): both kinds are drawn anew
/// with replacement 999 times, and the middle 95% of the differences kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gain {
    pub(crate) with: Kind,
    pub(crate) without: Kind,
    /// `None` as long as there are fewer than [`ENOUGH`] of either kind.
    pub(crate) difference: Option<Difference>,
}

/// Views of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kind {
    /// Milliseconds, ascending.
    pub(crate) sorted: Vec<f64>,
}

/// How much sooner a page is complete with help than without, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Gain {
    /// O(rounds · n): some milliseconds for the most samples that are kept.
    pub(crate) fn of(comparison: &Comparison) -> Self {
        let (with, without) = (Kind::new(comparison.with()), Kind::new(comparison.without()));
        let enough = with.sorted.len() >= ENOUGH && without.sorted.len() >= ENOUGH;
        let difference = enough.then(|| Difference::bootstrap(&with.sorted, &without.sorted));
        Self { with, without, difference }
    }

    /// Share of the time without help that is saved.
    pub(crate) fn share(&self) -> Option<f64> {
        let without = self.without.median().filter(|median| *median > 0.0)?;
        Some(self.difference?.median / without)
    }
}

impl Kind {
    fn new(micros: &[u32]) -> Self {
        let mut sorted: Vec<f64> = micros.iter().map(|micros| f64::from(*micros) / 1000.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { sorted }
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// By linear interpolation between the two values next to it.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = share.clamp(0.0, 1.0) * last as f64;
        let (low, high) = (self.sorted.get(place.floor() as usize)?, self.sorted.get(place.ceil() as usize)?);
        Some(low + (high - low) * place.fract())
    }
}

impl Difference {
    pub(crate) fn is_certain(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    fn bootstrap(with: &[f64], without: &[f64]) -> Self {
        // Fixed: the same views give the same interval, however often the page is looked at.
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut drawn = Vec::with_capacity(with.len().max(without.len()));
        let mut median_of = |values: &[f64]| {
            drawn.clear();
            drawn.extend((0..values.len()).filter_map(|_| values.get(random.below(values.len())).copied()));
            middle(&mut drawn)
        };
        let mut differences: Vec<f64> = (0..ROUNDS).map(|_| median_of(without) - median_of(with)).collect();
        differences.sort_unstable_by(f64::total_cmp);
        let end = ROUNDS / 40;
        let at = |place: usize| differences.get(place).copied().unwrap_or_default();
        let median = middle(&mut without.to_vec()) - middle(&mut with.to_vec());
        Self { median, low: at(end), high: at(ROUNDS - 1 - end) }
    }
}

/// The median; of an even number of values the mean of the two in the middle.
fn middle(values: &mut [f64]) -> f64 {
    let at = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(at, f64::total_cmp);
    let upper = *upper;
    let lower = if even { below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper) } else { upper };
    f64::midpoint(lower, upper)
}

/// SplitMix64 (Steele, Lea and Flood, 2014): enough for drawing samples.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Views around these middles, spread by a quarter to either side.
    fn comparison(random: &mut Random, with: u64, without: u64, holdouts: usize) -> Comparison {
        let mut comparison = Comparison::new(512);
        let mut spread = |middle: u64| {
            let quarter = middle / 4;
            Duration::from_micros(middle - quarter + random.below(2 * quarter as usize + 1) as u64)
        };
        for _ in 0..holdouts {
            comparison.add(true, spread(without));
            for _ in 0..3 {
                comparison.add(false, spread(with));
            }
        }
        comparison
    }

    #[test]
    fn a_gain_is_found_and_bounded() {
        let gain = Gain::of(&comparison(&mut Random(1), 60_000, 100_000, 100));
        let difference = gain.difference.unwrap();
        assert!((difference.median - 40.0).abs() < 6.0, "{difference:?}");
        assert!(difference.low > 25.0 && difference.high < 55.0 && difference.is_certain(), "{difference:?}");
        assert!(difference.low <= difference.median && difference.median <= difference.high, "{difference:?}");
        assert!((gain.share().unwrap() - 0.4).abs() < 0.06);
    }

    #[test]
    fn the_interval_covers_the_truth_as_often_as_it_says() {
        let mut random = Random(7);
        let covers = |random: &mut Random| {
            let difference = Gain::of(&comparison(random, 80_000, 100_000, 40)).difference.unwrap();
            difference.low <= 20.0 && 20.0 <= difference.high
        };
        let rounds = 60;
        let covered = (0..rounds).filter(|_| covers(&mut random)).count();
        // 95% in theory; the percentile bootstrap of a median is a little conservative.
        assert!(covered >= rounds * 88 / 100, "{covered} of {rounds}");
    }

    #[test]
    fn nothing_is_claimed_of_a_few() {
        let gain = Gain::of(&comparison(&mut Random(1), 60_000, 100_000, ENOUGH - 1));
        assert_eq!(gain.difference, None);
        assert_eq!((gain.without.count(), gain.share()), (ENOUGH - 1, None));
        assert_eq!(Gain::of(&Comparison::new(4)).with.median(), None);
    }

    #[test]
    fn no_gain_is_said_to_be_none() {
        let gain = Gain::of(&comparison(&mut Random(3), 100_000, 100_000, 60));
        assert!(!gain.difference.unwrap().is_certain(), "{gain:?}");
    }

    #[test]
    fn medians() {
        assert!((middle(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((middle(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
        let kind = Kind::new(&[1000, 2000, 3000, 4000, 5000]);
        assert_eq!((kind.quantile(0.0), kind.quantile(0.9), kind.median()), (Some(1.0), Some(4.6), Some(3.0)));
    }
}
