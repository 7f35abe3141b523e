//! What one node knows of one asset.

use crate::assets::AssetId;
use crate::networks::Networks;

/// One asset of a node: 40 bytes. All sums are relative to the landmark of the node.
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
    /// Which witnesses fetched it.
    pub(crate) fetched_by: u32,
    /// For which witnesses its absence is no evidence.
    pub(crate) muted_by: u32,
    pub(crate) order: Order,
    pub(crate) manner: Manner,
}

/// When it is asked for, in the order of requests and after the navigation; without decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// 16 bits of fetches, then 24 of the sum of their ranks, then 24 of the sum of their delays.
    words: [u32; 2],
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
    /// Milliseconds.
    pub(crate) delay: u32,
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

/// Milliseconds of a unit of delay.
pub(crate) const DELAY_UNIT: u32 = 64;

/// Most visits that one piece of evidence stands for.
const MAX_VISITS: u32 = 1 << 12;

const MAX_24: u64 = (1 << 24) - 1;

impl Order {
    /// Takes in a fetch of so many visits.
    pub(crate) fn add(&mut self, hit: Hit, visits: u32) {
        let rank = u64::from(hit.rank.min(255));
        let delay = u64::from((hit.delay / DELAY_UNIT).min(255));
        let visits = u64::from(visits.min(MAX_VISITS));
        self.merge(Self::pack(visits, rank * visits, delay * visits));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        let (a, b) = (self.unpack(), other.unpack());
        *self = Self::pack((a.0 + b.0).min(0xffff), (a.1 + b.1).min(MAX_24), (a.2 + b.2).min(MAX_24));
    }

    pub(crate) fn fetches(self) -> u64 {
        self.unpack().0
    }

    /// The mean rank; `None` without a fetch.
    pub(crate) fn rank(self) -> Option<f32> {
        let (fetches, rank, _) = self.unpack();
        (fetches > 0).then(|| rank as f32 / fetches as f32)
    }

    /// The mean delay in milliseconds, to within 64; `None` without a fetch.
    pub(crate) fn delay(self) -> Option<u64> {
        let (fetches, _, delay) = self.unpack();
        (fetches > 0).then(|| delay * u64::from(DELAY_UNIT) / fetches)
    }

    pub(crate) fn bits(self) -> u64 {
        u64::from(self.words[0]) | u64::from(self.words[1]) << 32
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { words: [bits as u32, (bits >> 32) as u32] }
    }

    fn unpack(self) -> (u64, u64, u64) {
        let bits = self.bits();
        (bits & 0xffff, bits >> 16 & MAX_24, bits >> 40)
    }

    fn pack(fetches: u64, rank: u64, delay: u64) -> Self {
        Self::from_bits(fetches | rank << 16 | delay << 40)
    }
}

/// The urgency that each counter of [`Manner`] stands for.
const URGENCIES: [u8; 4] = [1, 2, 3, 5];

impl Manner {
    /// Takes in a fetch of so many visits.
    pub(crate) fn add(&mut self, hit: Hit, visits: u32) {
        let count = if hit.late { &mut self.late } else { &mut self.prompt };
        *count = count.saturating_add(u8::try_from(visits).unwrap_or(u8::MAX));
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

    const HIT: Hit = Hit { rank: 3, delay: 640, late: false, urgency: Some(2) };

    #[test]
    fn an_edge_is_40_bytes() {
        assert_eq!(size_of::<Edge>(), 40);
    }

    #[test]
    fn means_and_votes() {
        let (mut order, mut manner) = (Order::default(), Manner::default());
        assert_eq!((order.rank(), order.delay(), manner.urgency()), (None, None, None));
        for urgency in [Some(0), Some(2), Some(2), None] {
            order.add(Hit { urgency, ..HIT }, 1);
            manner.add(Hit { urgency, ..HIT }, 1);
        }
        assert_eq!((order.rank(), order.delay(), order.fetches()), (Some(3.0), Some(640), 4));
        assert_eq!((manner.urgency(), manner.is_late()), (Some(2), false));
        for _ in 0..1000 {
            manner.add(Hit { late: true, ..HIT }, 1);
        }
        assert!(manner.is_late());
        assert_eq!(Manner::from_bits(manner.bits()), manner);
    }
}
