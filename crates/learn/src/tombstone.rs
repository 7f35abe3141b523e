//! Networks that were told that something is gone.

use crate::keys::fold;

/// The last two networks that were answered 404 or 410, each with the second. One stranger who can
/// provoke such an answer removes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tombstone {
    /// The later one first; a tag is a keyed hash that is never 0, and 0 is nobody.
    told: [(u32, u16); 2],
}

/// Tells the networks apart that were told that something is gone; never 0.
pub(crate) fn tag(network: u64, hash: u64) -> u16 {
    (fold(network, hash) >> 48).max(1) as u16
}

impl Tombstone {
    pub(crate) fn new(told: [(u32, u16); 2]) -> Self {
        let mut tombstone = Self::default();
        told.into_iter().filter(|(_, tag)| *tag != 0).for_each(|(second, tag)| tombstone.add(second, tag));
        tombstone
    }

    pub(crate) fn told(self) -> [(u32, u16); 2] {
        self.told
    }

    /// The network with this tag was told at `second`.
    pub(crate) fn add(&mut self, second: u32, tag: u16) {
        let mut all = [self.told[0], self.told[1], (second, tag)];
        all.sort_unstable_by(|a, b| b.cmp(a));
        let first = all[0];
        let other = all.into_iter().find(|(_, tag)| *tag != first.1).unwrap_or_default();
        self.told = [first, other];
    }

    pub(crate) fn merge(&mut self, other: Self) {
        other.told.into_iter().filter(|(_, tag)| *tag != 0).for_each(|(second, tag)| self.add(second, tag));
    }

    /// Since when enough networks have been told, none of which before `last`, when it was last seen.
    pub(crate) fn since(self, last: u32, networks: u32) -> Option<u32> {
        let told = |(second, tag): (u32, u16)| tag != 0 && second >= last;
        let [first, second] = self.told;
        match networks {
            0 | 1 => told(first).then_some(first.0),
            _ => (told(first) && told(second)).then_some(first.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_takes_two_networks_after_the_last_fetch() {
        let mut tombstone = Tombstone::default();
        tombstone.add(10, 1);
        tombstone.add(20, 1);
        assert_eq!((tombstone.since(5, 2), tombstone.since(5, 1)), (None, Some(20)));
        tombstone.add(15, 2);
        assert_eq!(tombstone.since(5, 2), Some(20));
        assert_eq!(tombstone.since(16, 2), None);
    }

    proptest! {
        #[test]
        fn merging_is_as_being_told(a in prop::collection::vec((0u32..9, 1u16..4), 0..6), b in prop::collection::vec((0u32..9, 1u16..4), 0..6)) {
            let of = |list: &[(u32, u16)]| list.iter().fold(Tombstone::default(), |mut sum, told| { sum.add(told.0, told.1); sum });
            let (mut x, mut y) = (of(&a), of(&b));
            let z = y;
            y.merge(x);
            x.merge(z);
            prop_assert_eq!(x, y);
            prop_assert_eq!(x, of(&[a, b].concat()));
        }
    }
}
