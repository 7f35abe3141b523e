//! How much came when: sums by time, coarser the longer ago.

/// Sums in blocks of time. A block is 2^k seconds long and starts at a multiple of its length; it is
/// the longest that ended at least four times its own length before the newest. So a block is at most a quarter as
/// long as it is old, and there are some hundred of them, whatever the span.
///
/// Which blocks there are depends on the newest time alone, and older divisions are finer than
/// newer ones: adding up timelines is exact, commutative and associative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Start in seconds, and sum; ascending.
    blocks: Vec<(u32, u32)>,
    newest: u32,
    total: u32,
}

/// More blocks than this are merged.
const MAX_BLOCKS: usize = 192;

/// How many times as old as long a block is at least.
const AGE: u64 = 4;

impl Timeline {
    /// Adds `weight` at `second`.
    pub(crate) fn add(&mut self, second: u32, weight: u32) {
        self.total = self.total.saturating_add(weight);
        self.newest = self.newest.max(second);
        self.put(second, weight);
        if self.blocks.len() > MAX_BLOCKS {
            self.coarsen();
        }
    }

    /// Adds what another timeline holds.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.newest = self.newest.max(other.newest);
        self.total = self.total.saturating_add(other.total);
        for (start, weight) in &other.blocks {
            self.put(*start, *weight);
        }
        self.coarsen();
    }

    /// The sum of all.
    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    /// The sum since `second`, where a block that lies on both sides counts in part.
    pub(crate) fn since(&self, second: u32) -> u32 {
        let Some(first) = self.blocks.first() else { return 0 };
        if second <= first.0 {
            return self.total;
        }
        let after = self.blocks.partition_point(|(start, _)| *start < second);
        let later = self.blocks.iter().skip(after).map(|(_, weight)| u64::from(*weight)).sum::<u64>();
        let split = after.checked_sub(1).and_then(|at| self.blocks.get(at)).map_or(0, |(start, weight)| {
            let length = 1u64 << level(*start, self.newest);
            let rest = (u64::from(*start) + length).saturating_sub(u64::from(second)).min(length);
            u64::from(*weight) * rest / length
        });
        u32::try_from(later + split).unwrap_or(u32::MAX)
    }

    /// Start and sum of the blocks.
    pub(crate) fn blocks(&self) -> &[(u32, u32)] {
        &self.blocks
    }

    /// The latest second at which anything was added.
    pub(crate) fn newest(&self) -> u32 {
        self.newest
    }

    /// From any blocks.
    pub(crate) fn from_blocks(newest: u32, blocks: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut timeline = Self { newest, ..Self::default() };
        for (start, weight) in blocks {
            timeline.add(start.min(newest), weight);
        }
        timeline
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<(u32, u32)>()
    }

    fn put(&mut self, start: u32, weight: u32) {
        match self.blocks.last_mut() {
            Some((last, sum)) if *last == start => *sum = sum.saturating_add(weight),
            Some((last, _)) if *last > start => match self.blocks.binary_search_by_key(&start, |(start, _)| *start) {
                Ok(at) => {
                    if let Some((_, sum)) = self.blocks.get_mut(at) {
                        *sum = sum.saturating_add(weight);
                    }
                }
                Err(at) => self.blocks.insert(at, (start, weight)),
            },
            _ => {
                if self.blocks.len() == self.blocks.capacity() {
                    self.blocks.reserve_exact((self.blocks.len() / 2).max(1));
                }
                self.blocks.push((start, weight));
            }
        }
    }

    /// Divides it into as few blocks as may be.
    pub(crate) fn coarsen(&mut self) {
        let newest = self.newest;
        for (start, _) in &mut self.blocks {
            *start &= u32::MAX << level(*start, newest);
        }
        self.blocks.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 = earlier.1.saturating_add(later.1);
            }
            same
        });
    }
}

/// The binary logarithm of the length of the block of `second`.
fn level(second: u32, newest: u32) -> u32 {
    let fits = |level: u32| {
        let end = (u64::from(second >> level) + 1) << level;
        end + (AGE << level) <= u64::from(newest) + 1
    };
    // A block of this length is too young, if anything.
    let mut level = (newest.saturating_sub(second) / AGE as u32).checked_ilog2().unwrap_or(0);
    while level > 0 && !fits(level) {
        level -= 1;
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(events: &[(u32, u32)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (second, weight) in events {
            timeline.add(*second, *weight);
        }
        timeline
    }

    fn sum(a: &Timeline, b: &Timeline) -> Timeline {
        let mut sum = a.clone();
        sum.merge(b);
        sum.coarsen();
        sum
    }

    fn events() -> impl Strategy<Value = Vec<(u32, u32)>> {
        prop::collection::vec((prop_oneof![0u32..100, 0u32..100_000, 0u32..100_000_000], 0u32..1000), 0..80)
    }

    proptest! {
        #[test]
        fn adding_up_is_commutative_associative_and_as_one(a in events(), b in events(), c in events()) {
            let (x, y, z) = (of(&a), of(&b), of(&c));
            prop_assert_eq!(sum(&x, &y), sum(&y, &x));
            prop_assert_eq!(sum(&sum(&x, &y), &z), sum(&x, &sum(&y, &z)));
            let mut all = a.clone();
            all.extend(&b);
            let mut together = of(&all);
            together.coarsen();
            prop_assert_eq!(sum(&x, &y), together);
        }

        #[test]
        fn a_sum_since_is_off_by_one_block_at_most(events in events(), since in 0u32..100_000_000) {
            let mut timeline = of(&events);
            timeline.coarsen();
            let after = |second: u32| events.iter().filter(|e| e.0 >= second).map(|e| e.1).sum::<u32>();
            let length = 1 << level(since, timeline.newest);
            let sum = timeline.since(since);
            prop_assert!(sum <= after((since & !(length - 1)).min(since)), "{} {}", sum, after(since));
            prop_assert!(sum >= after(since.saturating_add(length)));
        }
    }

    #[test]
    fn a_visit_a_second_takes_few_blocks_too() {
        let mut timeline = Timeline::default();
        for second in 0..3_000_000 {
            timeline.add(1_000_000_000 + second, 1);
            assert!(timeline.blocks.len() <= MAX_BLOCKS + 1);
        }
        timeline.coarsen();
        assert!(timeline.blocks.len() <= 110, "{}", timeline.blocks.len());
        let since = timeline.since(1_000_000_000 + 1_000_000);
        assert!((1_900_000..=2_100_000).contains(&since), "{since}");
    }

    #[test]
    fn a_year_of_visits_takes_a_hundred_blocks() {
        let mut timeline = Timeline::default();
        for hour in 0..366 * 24 {
            timeline.add(hour * 3600, 1);
            assert!(timeline.blocks.len() <= MAX_BLOCKS);
        }
        timeline.coarsen();
        assert!(timeline.blocks.len() <= 110, "{}", timeline.blocks.len());
        assert_eq!(timeline.total(), 366 * 24);
    }
}
