//! One network has one vote on a page in an interval.

use crate::clock::Tick;

/// Slots that a vote may lie in.
const WAYS: usize = 8;

/// Votes lately cast, in a table of fixed size.
///
/// A vote is known by 32 bits of a keyed hash besides its bucket. When a bucket
/// is full the oldest vote is forgotten. To vote twice, a network must therefore cast
/// about as many votes on other pages as the table holds; to silence a vote of
/// another, it would have to hit 32 bits that it cannot compute.
#[derive(Debug)]
pub(crate) struct Votes {
    slots: Vec<Slot>,
    interval: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    tag: u32,
    /// Seconds of learner's time, plus one; zero is an empty slot.
    cast: u32,
}

impl Votes {
    /// A table of at most `bytes`; `interval` in milliseconds, zero to allow every vote.
    pub(crate) fn new(bytes: usize, interval: u64) -> Self {
        let slots = (bytes / size_of::<Slot>()).max(WAYS * 8);
        let slots = if interval == 0 { 0 } else { 1usize << slots.ilog2() };
        Self { slots: vec![Slot::default(); slots], interval }
    }

    /// Whether `vote`, a keyed hash of network and page, counts at `now`; if so it is cast.
    pub(crate) fn cast(&mut self, vote: u64, now: Tick) -> bool {
        let buckets = self.slots.len() / WAYS;
        if buckets == 0 {
            return true;
        }
        let tag = (vote >> 32) as u32;
        let first = (vote as usize & (buckets - 1)) * WAYS;
        let Some(bucket) = self.slots.get_mut(first..first + WAYS) else {
            return true;
        };
        let seconds = u32::try_from(now.0 / 1000).unwrap_or(u32::MAX - 1) + 1;
        if let Some(slot) = bucket.iter_mut().find(|slot| slot.cast != 0 && slot.tag == tag) {
            let age = u64::from(seconds.saturating_sub(slot.cast)) * 1000;
            if age < self.interval {
                return false;
            }
            slot.cast = seconds;
            return true;
        }
        if let Some(oldest) = bucket.iter_mut().min_by_key(|slot| slot.cast) {
            *oldest = Slot { tag, cast: seconds };
        }
        true
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    #[test]
    fn once_per_interval() {
        let keys = Keys::new([7; 16]);
        let mut votes = Votes::new(1 << 16, 600_000);
        assert!(votes.cast(keys.vote(1, 1, 0), Tick(0)));
        assert!(!votes.cast(keys.vote(1, 1, 0), Tick(599_000)));
        assert!(votes.cast(keys.vote(2, 1, 0), Tick(599_000)));
        assert!(votes.cast(keys.vote(1, 2, 0), Tick(599_000)));
        assert!(votes.cast(keys.vote(1, 1, 0), Tick(600_000)));
        assert!(!votes.cast(keys.vote(1, 1, 0), Tick(600_001)));
    }

    #[test]
    fn an_interval_of_zero_counts_all() {
        let mut votes = Votes::new(1 << 16, 0);
        assert!(votes.cast(1, Tick(0)) && votes.cast(1, Tick(0)));
        assert_eq!(votes.bytes(), 0);
    }

    #[test]
    fn the_table_does_not_grow_and_forgets_the_oldest() {
        let keys = Keys::new([7; 16]);
        let mut votes = Votes::new(1 << 12, 600_000);
        let bytes = votes.bytes();
        for n in 0..100_000 {
            votes.cast(keys.vote(n, 1, 0), Tick(n / 100));
        }
        assert_eq!(votes.bytes(), bytes);
        assert!(!votes.cast(keys.vote(99_999, 1, 0), Tick(1_001)));
    }
}
