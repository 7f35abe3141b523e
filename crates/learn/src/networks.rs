//! How many distinct networks: exact while few, a keyed bitmap beyond, in one word.

use crate::keys::fold;

/// The networks that something was seen from.
///
/// A network is known by a tag of 10 bits, a keyed hash of it and of what was seen, so
/// that one network never counts for two. Up to three tags are kept as they are: two
/// networks count for one once in 1,023 pairs. With the fourth the word becomes a linear
/// counter of 31 bits (Whang, Vander-Zanden and Taylor, "A Linear-Time
/// Probabilistic Counting Algorithm", 1990), in which two networks count for one
/// more often. Either way the count may be low, which delays the gate, and is
/// never high, which would open it early.
///
/// The word depends only on the set of tags, so merging is commutative and associative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Networks(u32);

/// Networks that a name needs which looks as if it was made for one person.
const PERSONAL_NETWORKS: u32 = 8;

/// The gate of a name.
pub(crate) fn networks_needed(min_networks: u32, personal: bool) -> u32 {
    if personal && min_networks > 1 { min_networks.max(PERSONAL_NETWORKS) } else { min_networks }
}

const TAG_BITS: u32 = 10;
const TAGS: usize = 3;
const TAG_MASK: u32 = (1 << TAG_BITS) - 1;

/// Set when the word is a bitmap.
const BITMAP: u32 = 1 << 31;

impl Networks {
    /// A word from a snapshot; one that no set of tags has is taken for its bits.
    pub(crate) fn from_bits(bits: u32) -> Self {
        if bits & BITMAP != 0 {
            return Self(bits);
        }
        let mut networks = Self::default();
        Self(bits).tags().for_each(|tag| networks.insert(tag));
        networks
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Adds `network`, a keyed hash, as seen for `thing`, another.
    #[inline]
    pub(crate) fn add(&mut self, network: u64, thing: u64) {
        if self.0 == u32::MAX {
            // All bits are set.
            return;
        }
        self.insert(((fold(network, thing) >> (64 - TAG_BITS)) as u32).max(1));
    }

    /// At least so many networks, for certain.
    pub(crate) fn at_least(self) -> u32 {
        if self.is_bitmap() { (self.0 ^ BITMAP).count_ones() } else { self.tags().count() as u32 }
    }

    /// The likeliest number of networks.
    pub(crate) fn estimate(self) -> u32 {
        if !self.is_bitmap() {
            return self.at_least();
        }
        let zeros = f64::from((31 - self.at_least()).max(1));
        (31.0 * (31.0 / zeros).ln()).round() as u32
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if other.is_bitmap() {
            self.spread();
            self.0 |= other.0;
        } else {
            other.tags().for_each(|tag| self.insert(tag));
        }
    }

    /// Adds a tag of 1 to 2^10 - 1.
    #[inline]
    fn insert(&mut self, tag: u32) {
        if self.is_bitmap() {
            self.0 |= 1 << (tag % 31);
        } else {
            self.insert_exact(tag);
        }
    }

    /// Adds a tag while there are few.
    fn insert_exact(&mut self, tag: u32) {
        let holds = |at: u32| (self.0 >> (at * TAG_BITS)) & TAG_MASK == tag;
        if holds(0) || holds(1) || holds(2) {
            return;
        }
        if self.0 >> (TAG_BITS * (TAGS as u32 - 1)) != 0 {
            self.spread();
            return self.insert(tag);
        }
        // Sorted, the smallest in the highest place, empty places first.
        let mut tags = [0; TAGS];
        let mut sorted = tags.iter_mut();
        for other in self.tags().filter(|other| *other < tag) {
            sorted.next().into_iter().for_each(|place| *place = other);
        }
        sorted.next().into_iter().for_each(|place| *place = tag);
        for other in self.tags().filter(|other| *other > tag) {
            sorted.next().into_iter().for_each(|place| *place = other);
        }
        self.0 = tags.iter().filter(|tag| **tag != 0).fold(0, |word, tag| word << TAG_BITS | tag);
    }

    /// Becomes a bitmap.
    fn spread(&mut self) {
        if !self.is_bitmap() {
            self.0 = self.tags().fold(BITMAP, |word, tag| word | 1 << (tag % 31));
        }
    }

    fn is_bitmap(self) -> bool {
        self.0 & BITMAP != 0
    }

    /// The tags in ascending order.
    fn tags(self) -> impl Iterator<Item = u32> {
        let tags = (0..TAGS as u32).rev().map(move |at| (self.0 >> (at * TAG_BITS)) & TAG_MASK);
        tags.filter(|tag| *tag != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;
    use proptest::prelude::*;

    #[test]
    fn one_network_is_one_and_ten_are_about_ten() {
        let keys = Keys::new([3; 16]);
        let thing = keys.network(99);
        let mut seen = Networks::default();
        for _ in 0..100 {
            seen.add(keys.network(1), thing);
        }
        assert_eq!((seen.at_least(), seen.estimate()), (1, 1));
        let mut total = 0;
        for round in 0..200 {
            let mut seen = Networks::default();
            for network in 0..10 {
                seen.add(keys.network(network), keys.network(1_000 + round));
            }
            assert!(seen.at_least() <= 10);
            total += seen.estimate();
        }
        assert!((1_850..2_150).contains(&total), "{total}");
    }

    #[test]
    fn up_to_three_are_counted_exactly() {
        let keys = Keys::new([3; 16]);
        let mut wrong = 0;
        for round in 0..1000 {
            let mut seen = Networks::default();
            for network in 0..3 {
                seen.add(keys.network(network), keys.network(1_000 + round));
            }
            wrong += 3 - seen.at_least();
        }
        assert!(wrong <= 12, "{wrong}");
    }

    proptest! {
        #[test]
        fn a_set_whatever_the_order(tags in prop::collection::vec(1u32..1 << 10, 0..12), split in 0usize..12) {
            let collect = |tags: &[u32]| {
                let mut networks = Networks::default();
                for tag in tags {
                    networks.insert(*tag);
                }
                networks
            };
            let all = collect(&tags);
            let mut reversed = tags.clone();
            reversed.reverse();
            prop_assert_eq!(all, collect(&reversed));
            let (a, b) = tags.split_at(split.min(tags.len()));
            let (mut ab, mut ba) = (collect(a), collect(b));
            ab.merge(collect(b));
            ba.merge(collect(a));
            prop_assert_eq!(ab, all);
            prop_assert_eq!(ba, all);
            prop_assert_eq!(Networks::from_bits(all.bits()), all);
        }

        #[test]
        fn any_word_is_read(bits: u32) {
            let networks = Networks::from_bits(bits);
            prop_assert!(networks.at_least() <= 31);
            prop_assert_eq!(Networks::from_bits(networks.bits()), networks);
        }
    }
}
