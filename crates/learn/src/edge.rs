//! Evidence of one node on one asset.

use crate::assets::AssetId;
use crate::networks::Networks;

/// One asset of a node: 36 bytes. All sums are relative to the landmark of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) asset: AssetId,
    /// When it was first fetched, in seconds; evidence of before does not count against it.
    pub(crate) birth: u32,
    /// h: visits that fetched it.
    pub(crate) hits: u32,
    /// m: visits on which its absence is no evidence.
    pub(crate) mute: u32,
    pub(crate) networks: Networks,
    /// The witnesses that fetched it, one bit each.
    pub(crate) fetched_by: u32,
    /// For which witnesses its absence is no evidence.
    pub(crate) muted_by: u32,
    pub(crate) order: Order,
    pub(crate) manner: Manner,
}

/// When it is asked for, in the order of requests; without decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// 12 bits of fetches, then 20 of the sum of their ranks.
    word: u32,
}

/// How it is asked for: counts of votes that stop at their largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Fetches while the page loaded.
    prompt: u8,
    /// Fetches after it had fallen silent.
    late: u8,
    /// By urgency, in fours of bits: 0 and 1, 2, 3, more.
    urgencies: u16,
}

/// One fetch that no hint caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) rank: u16,
    pub(crate) late: bool,
    pub(crate) urgency: Option<u8>,
}

impl Edge {
    pub(crate) fn new(asset: AssetId, birth: u32) -> Self {
        Self {
            asset,
            birth,
            hits: 0,
            mute: 0,
            networks: Networks::default(),
            fetched_by: 0,
            muted_by: 0,
            order: Order::default(),
            manner: Manner::default(),
        }
    }

    /// Takes in the evidence of another edge of the same node and landmark, but not its witnesses.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.birth = self.birth.min(other.birth);
        self.hits = self.hits.saturating_add(other.hits);
        self.mute = self.mute.saturating_add(other.mute);
        self.networks.merge(other.networks);
        self.order.merge(other.order);
        self.manner.merge(other.manner);
    }
}

const MAX_FETCHES: u32 = (1 << 12) - 1;
const MAX_RANKS: u32 = (1 << 20) - 1;

/// The largest rank that is told from larger ones. [`MAX_FETCHES`] of it are below [`MAX_RANKS`].
const MAX_RANK: u16 = 255;

/// One learner takes in no more fetches: their mean is known well enough, and there is room for those of others.
const ENOUGH: u32 = MAX_FETCHES / 4;

impl Order {
    /// Takes in a fetch of so many visits.
    pub(crate) fn add(&mut self, hit: Hit, visits: u32) {
        let room = ENOUGH.saturating_sub(self.word & MAX_FETCHES);
        if room > 0 {
            let visits = visits.min(room);
            self.word += visits | (visits * u32::from(hit.rank.min(MAX_RANK))) << 12;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        let sum = |of: fn(u32) -> u32| of(self.word) + of(other.word);
        self.word = sum(|word| word & MAX_FETCHES).min(MAX_FETCHES) | sum(|word| word >> 12).min(MAX_RANKS) << 12;
    }

    pub(crate) fn fetches(self) -> u64 {
        u64::from(self.word & MAX_FETCHES)
    }

    /// The mean rank; `None` without a fetch.
    pub(crate) fn rank(self) -> Option<f32> {
        let (fetches, ranks) = (self.word & MAX_FETCHES, self.word >> 12);
        (fetches > 0).then(|| ranks as f32 / fetches as f32)
    }

    pub(crate) fn bits(self) -> u32 {
        self.word
    }

    /// A word from a snapshot; a sum that no fetches have is cut.
    pub(crate) fn from_bits(word: u32) -> Self {
        let fetches = word & MAX_FETCHES;
        Self { word: fetches | (word >> 12).min(fetches * u32::from(MAX_RANK)) << 12 }
    }
}

/// The urgency that each counter of [`Manner`] stands for.
const URGENCIES: [u8; 4] = [1, 2, 3, 5];

impl Manner {
    /// Takes in a fetch of so many visits.
    pub(crate) fn add(&mut self, hit: Hit, visits: u32) {
        let count = if hit.late { &mut self.late } else { &mut self.prompt };
        *count = count.saturating_add(visits.min(255) as u8);
        if let Some(urgency) = hit.urgency {
            let place = 4 * u16::from(urgency.saturating_sub(1).min(3));
            let room = 15 - (self.urgencies >> place & 15);
            self.urgencies += room.min(u16::try_from(visits).unwrap_or(u16::MAX)) << place;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.late = self.late.saturating_add(other.late);
        self.prompt = self.prompt.saturating_add(other.prompt);
        self.urgencies = (0..4).fold(0, |word, at| {
            let count = |word: u16| word >> (4 * at) & 15;
            word | (count(self.urgencies) + count(other.urgencies)).min(15) << (4 * at)
        });
    }

    /// Whether it is mostly asked for after the page has fallen silent.
    pub(crate) fn is_late(self) -> bool {
        self.late > self.prompt
    }

    /// The urgency with the most votes; the more urgent of several.
    pub(crate) fn urgency(self) -> Option<u8> {
        let count = |at: usize| self.urgencies >> (4 * at) & 15;
        let most = (0..4).max_by_key(|at| (count(*at), std::cmp::Reverse(*at)))?;
        (count(most) > 0).then(|| URGENCIES.get(most).copied()).flatten()
    }

    pub(crate) fn bits(self) -> u32 {
        u32::from(self.prompt) | u32::from(self.late) << 8 | u32::from(self.urgencies) << 16
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self { prompt: bits as u8, late: (bits >> 8) as u8, urgencies: (bits >> 16) as u16 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIT: Hit = Hit { rank: 3, late: false, urgency: Some(2) };

    #[test]
    fn an_edge_is_36_bytes() {
        assert_eq!(size_of::<Edge>(), 36);
    }

    #[test]
    fn a_mean_stays_what_it_is_however_many_fetches_there_are() {
        let mut order = Order::default();
        (0..100_000).for_each(|_| order.add(Hit { rank: 7, ..HIT }, 1));
        order.add(HIT, u32::MAX);
        assert_eq!(order.rank(), Some(7.0));
        let mut of_four = order;
        (0..3).for_each(|_| of_four.merge(order));
        assert_eq!(of_four.rank(), Some(7.0));
        assert_eq!(Order::from_bits(order.bits()), order);
    }

    #[test]
    fn means_and_votes() {
        let (mut order, mut manner) = (Order::default(), Manner::default());
        assert_eq!((order.rank(), manner.urgency()), (None, None));
        for urgency in [Some(0), Some(2), Some(2), None] {
            order.add(Hit { urgency, ..HIT }, 1);
            manner.add(Hit { urgency, ..HIT }, 1);
        }
        assert_eq!((order.rank(), order.fetches()), (Some(3.0), 4));
        assert_eq!((manner.urgency(), manner.is_late()), (Some(2), false));
        for _ in 0..1000 {
            manner.add(Hit { late: true, ..HIT }, 1);
        }
        assert!(manner.is_late());
        assert_eq!(Manner::from_bits(manner.bits()), manner);
    }
}
