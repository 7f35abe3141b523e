//! Why the visits and assets of each page taught nothing: counts by page, in a table of fixed size.

use crate::cursor::Cursor;
use crate::stats::{PageReasons, REFUSALS};

/// Slots that a page may lie in.
const WAYS: usize = 8;

/// Counts of one page: those of the learner, then those of its caller.
const COUNTS: usize = OWN + REFUSALS;
const OWN: usize = 9;

/// Why a visit or an asset was not learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    NotAPage,
    NoAssets,
    Voted,
    NoRoom,
    PageFull,
    NoVisit,
    Ambiguous,
    Late,
    CacheUnknown,
    /// A reason of the caller's.
    Refused(u8),
}

/// Counts by page.
///
/// A page is known by the keyed hash of its path and query. Where a bucket is full, the page with the fewest counts gives
/// way, so that names that are made up displace one another.
#[derive(Debug)]
pub(crate) struct ReasonTable {
    /// 0 is an empty slot.
    keys: Vec<u64>,
    counts: Vec<[u32; COUNTS]>,
}

impl Cause {
    fn index(self) -> usize {
        match self {
            Self::NotAPage => 0,
            Self::NoAssets => 1,
            Self::Voted => 2,
            Self::NoRoom => 3,
            Self::PageFull => 4,
            Self::NoVisit => 5,
            Self::Ambiguous => 6,
            Self::Late => 7,
            Self::CacheUnknown => 8,
            Self::Refused(reason) => OWN + usize::from(reason),
        }
    }
}

impl ReasonTable {
    /// A table of at most `bytes`, or of eight pages.
    pub(crate) fn new(bytes: usize) -> Self {
        let slots = (bytes / (size_of::<u64>() + size_of::<[u32; COUNTS]>())).max(WAYS);
        let slots = 1usize << slots.ilog2();
        Self { keys: vec![0; slots], counts: vec![[0; COUNTS]; slots] }
    }

    /// Counts something that was not learned of a page.
    pub(crate) fn count(&mut self, page: u64, cause: Cause, times: u32) {
        if times == 0 {
            return;
        }
        let at = self.place(page);
        if let Some(count) = self.counts.get_mut(at).and_then(|counts| counts.get_mut(cause.index())) {
            *count = count.saturating_add(times);
        }
    }

    /// What is known of a page.
    pub(crate) fn get(&self, page: u64) -> PageReasons {
        let bucket = self.bucket(page);
        let keys = self.keys.get(bucket..bucket + WAYS).unwrap_or_default();
        let at = keys.iter().position(|key| *key == page.max(1));
        let counts = at.and_then(|at| self.counts.get(bucket + at)).copied().unwrap_or([0; COUNTS]);
        let of = |cause: Cause| u64::from(counts.get(cause.index()).copied().unwrap_or_default());
        let mut reasons = PageReasons::default();
        reasons.reasons.not_a_page = of(Cause::NotAPage);
        reasons.reasons.no_assets = of(Cause::NoAssets);
        reasons.reasons.voted = of(Cause::Voted);
        reasons.reasons.no_room = of(Cause::NoRoom);
        reasons.reasons.page_full = of(Cause::PageFull);
        reasons.reasons.no_visit = of(Cause::NoVisit);
        reasons.reasons.ambiguous = of(Cause::Ambiguous);
        reasons.reasons.late = of(Cause::Late);
        reasons.reasons.cache_unknown = of(Cause::CacheUnknown);
        for (refused, reason) in reasons.refused.iter_mut().zip(0u8..) {
            *refused = of(Cause::Refused(reason));
        }
        reasons
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>() + self.counts.capacity() * size_of::<[u32; COUNTS]>()
    }

    /// Each page with its counts, as records of a snapshot, in the order of their keys.
    pub(crate) fn records(&self) -> Vec<Vec<u8>> {
        let mut known: Vec<_> = self.keys.iter().zip(&self.counts).filter(|(key, _)| **key != 0).collect();
        known.sort_unstable();
        let record = |(key, counts): (&u64, &[u32; COUNTS])| {
            let mut out = Vec::from(key.to_le_bytes());
            for (index, count) in (0u8..).zip(counts).filter(|(_, count)| **count > 0) {
                out.push(index);
                out.extend(count.to_le_bytes());
            }
            out
        };
        known.into_iter().map(record).collect()
    }

    /// Adds the counts of a record; those of another version are passed over. `None` if it is malformed.
    pub(crate) fn add_record(&mut self, record: Cursor<'_>) -> Option<()> {
        let (page, counts) = read(record)?;
        let at = self.place(page);
        for (index, count) in counts {
            if let Some(sum) = self.counts.get_mut(at).and_then(|counts| counts.get_mut(usize::from(index))) {
                *sum = sum.saturating_add(count);
            }
        }
        Some(())
    }

    fn bucket(&self, page: u64) -> usize {
        (page >> 16) as usize % (self.keys.len() / WAYS).max(1) * WAYS
    }

    /// Where the counts of a page are, which may have displaced those of another.
    fn place(&mut self, page: u64) -> usize {
        let (bucket, page) = (self.bucket(page), page.max(1));
        let keys = self.keys.get(bucket..bucket + WAYS).unwrap_or_default();
        if let Some(at) = keys.iter().position(|key| *key == page) {
            return bucket + at;
        }
        let weight = |at: usize| self.counts.get(at).into_iter().flatten().map(|count| u64::from(*count)).sum::<u64>();
        let at = (bucket..bucket + WAYS).min_by_key(|at| weight(*at)).unwrap_or(bucket);
        if let (Some(key), Some(counts)) = (self.keys.get_mut(at), self.counts.get_mut(at)) {
            (*key, *counts) = (page, [0; COUNTS]);
        }
        at
    }
}

/// A record: the page, and its counts by number.
pub(crate) fn read(mut record: Cursor<'_>) -> Option<(u64, Vec<(u8, u32)>)> {
    let page = record.u64()?;
    let mut counts = Vec::new();
    while !record.is_empty() {
        counts.push((record.u8()?, record.u32()?));
    }
    Some((page, counts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_with_many_counts_outlives_a_flood_of_names() {
        let mut table = ReasonTable::new(1 << 14);
        let bytes = table.bytes();
        (0..100).for_each(|_| table.count(7 << 16, Cause::Voted, 1));
        for page in 0..100_000u64 {
            table.count(page.wrapping_mul(0x9e37_79b9_7f4a_7c15), Cause::NoVisit, 1);
        }
        assert_eq!((table.get(7 << 16).reasons.voted, table.bytes()), (100, bytes));
    }

    proptest! {
        #[test]
        fn counts_are_those_that_were_told_and_survive_a_snapshot(
            told in prop::collection::vec((0u64..4, 0u8..16, 1u32..9), 0..60)
        ) {
            let mut table = ReasonTable::new(1 << 16);
            let mut expected = [[0u64; 16]; 4];
            for (page, reason, times) in &told {
                table.count(page << 16, Cause::Refused(*reason), *times);
                expected[*page as usize][usize::from(*reason)] += u64::from(*times);
            }
            let mut copy = ReasonTable::new(1 << 16);
            for record in table.records() {
                prop_assert!(copy.add_record(Cursor(&record)).is_some());
            }
            for (page, counts) in (0u64..).zip(expected) {
                prop_assert_eq!(table.get(page << 16).refused, counts);
                prop_assert_eq!(copy.get(page << 16).refused, counts);
            }
            prop_assert_eq!(copy.records(), table.records());
        }
    }
}
