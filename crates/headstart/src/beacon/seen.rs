//! The last ten minutes: tokens that were used, networks that have voted.

/// Words of each of the two filters; a power of two.
const WORDS: usize = 1 << 14;
/// Bits that each thing sets.
const BITS: u32 = 4;
/// How long a thing is remembered at least, seconds; twice as long at most.
const PERIOD: u64 = 600;

/// Two Bloom filters of 128 KiB, of this period and of the one before: what was seen is known for ten minutes and for
/// twenty at most. With 100,000 things in a period, 1 in 100 that is new counts as seen; with ever more ever fewer count as
/// new, and none that was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    period: u64,
    /// Empty until something is seen.
    now: Vec<u64>,
    before: Vec<u64>,
}

impl Seen {
    /// Notes a thing by its hash, and returns whether it is new. `time` is in seconds.
    pub(super) fn is_new(&mut self, hash: u64, time: u64) -> bool {
        let period = time / PERIOD;
        if period != self.period {
            let before = std::mem::take(&mut self.now);
            self.before = if period == self.period + 1 { before } else { Vec::new() };
            self.period = period;
        }
        if self.now.is_empty() {
            self.now = vec![0; WORDS];
        }
        let (mut in_now, mut in_before) = (true, !self.before.is_empty());
        for number in 0..BITS {
            // Of two hashes as many as are wanted (Kirsch and Mitzenmacher, "Less hashing, same performance", 2006).
            let place = (hash as u32).wrapping_add(((hash >> 32) as u32 | 1).wrapping_mul(number)) as usize;
            let (at, bit) = (place / 64 % WORDS, 1_u64 << (place % 64));
            in_before &= self.before.get(at).is_some_and(|word| word & bit != 0);
            if let Some(word) = self.now.get_mut(at) {
                in_now &= *word & bit != 0;
                *word |= bit;
            }
        }
        !in_now && !in_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> u64 {
        (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(31)
    }

    #[test]
    fn a_thing_is_new_once_in_ten_minutes() {
        let mut seen = Seen::default();
        let new = (0..10_000).filter(|number| seen.is_new(hash(*number), 60_000)).count();
        assert!(new > 9_980, "{new}");
        assert!((0..10_000).all(|number| !seen.is_new(hash(number), 60_599)));
        // In the next period, too, and then no more.
        assert!(!seen.is_new(hash(1), 60_600) && !seen.is_new(hash(1), 61_199));
        assert!(seen.is_new(hash(2), 62_400) && !seen.is_new(hash(2), 62_400));
    }

    #[test]
    fn a_clock_that_runs_back_forgets_and_does_not_fail() {
        let mut seen = Seen::default();
        assert!(seen.is_new(hash(1), 6_000));
        assert!(seen.is_new(hash(1), 0));
        assert!(!seen.is_new(hash(1), 1));
    }
}
