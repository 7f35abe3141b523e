//! The last visits of a page that said something.

use crate::clock::Tick;
use crate::observation::ClientClass;

/// Most visits that are remembered one by one.
pub(crate) const MAX_WITNESSES: usize = 32;

/// Most of them that were only partly evidence.
const MAX_PARTIAL: usize = 12;

/// The kind of evidence that a remembered visit gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Of everything: nothing was sent early, and the client's cache is known.
    Full,
    /// Of what was not sent early.
    Assisted,
    /// Of what was fetched; the rest may have been held.
    PositiveOnly,
}

/// One remembered visit: when it was, whose, and what it is evidence of, in one word that orders by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Witness(u64);

impl Witness {
    /// `tag` tells visits of one second apart.
    pub(crate) fn new(second: u32, tag: u64, scope: Scope, class: ClientClass) -> Self {
        let scope = match scope {
            Scope::Full => 0,
            Scope::Assisted => 1,
            Scope::PositiveOnly => 2,
        };
        let phone = u64::from(class == ClientClass::Phone);
        Self(u64::from(second) << 32 | (tag & 0xffff_fff8 & 0xffff_ffff) | phone << 2 | scope)
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn second(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) fn scope(self) -> Scope {
        match self.0 & 3 {
            0 => Scope::Full,
            1 => Scope::Assisted,
            _ => Scope::PositiveOnly,
        }
    }

    pub(crate) fn class(self) -> ClientClass {
        if self.0 & 4 == 0 { ClientClass::Other } else { ClientClass::Phone }
    }
}

/// The visits of a node that said something, the last [`MAX_WITNESSES`] of them, of which at most
/// twelve were partial evidence. Each edge has a word of bits for them: bit n is of the n-th here.
///
/// Which visits are kept depends on the set of all alone, so uniting sets is exact, commutative
/// and associative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Witnesses {
    /// Ascending.
    list: Vec<Witness>,
}

/// The positions at which bits of edges move when a witness comes: first one is taken out, then a place is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    removed: Option<usize>,
    pub(crate) at: usize,
}

impl Shift {
    /// The word of an edge after the shift, with the new bit clear.
    pub(crate) fn apply(self, word: u32) -> u32 {
        let word = u64::from(word);
        let word = self.removed.map_or(word, |at| low(word, at) | (word >> (at + 1)) << at);
        (low(word, self.at) | (word >> self.at) << (self.at + 1)) as u32
    }
}

fn low(word: u64, bits: usize) -> u64 {
    word & ((1 << bits) - 1)
}

impl Witnesses {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Witness> {
        self.list.iter().copied()
    }

    /// Adds a visit. `None` if it is not one of the last, or known already.
    pub(crate) fn add(&mut self, witness: Witness) -> Option<Shift> {
        let at = self.list.binary_search(&witness).err()?;
        if self.list.len() == self.list.capacity() {
            self.list.reserve_exact((self.list.len() / 2).max(1));
        }
        self.list.insert(at, witness);
        let Some(victim) = self.superfluous() else { return Some(Shift { removed: None, at }) };
        self.list.remove(victim);
        match victim.cmp(&at) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => Some(Shift { removed: Some(victim), at: at - 1 }),
            std::cmp::Ordering::Greater => Some(Shift { removed: Some(victim - 1), at }),
        }
    }

    /// Unites two sets. Says for each kept witness which bit it has in either.
    pub(crate) fn merge(&mut self, other: &Self) -> Vec<(Option<usize>, Option<usize>)> {
        let mine = std::mem::take(&mut self.list);
        let mut all: Vec<Witness> = mine.iter().chain(&other.list).copied().collect();
        all.sort_unstable();
        all.dedup();
        self.list = all;
        while let Some(victim) = self.superfluous() {
            self.list.remove(victim);
        }
        self.list.shrink_to_fit();
        let places = |list: &[Witness], witness| list.binary_search(witness).ok();
        self.list.iter().map(|witness| (places(&mine, witness), places(&other.list, witness))).collect()
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.list.capacity() * size_of::<Witness>()
    }

    fn superfluous(&self) -> Option<usize> {
        // Branchless, as it is asked with each visit.
        let partial = |witness: &Witness| witness.0 & 3 != 0;
        let partials = self.list.iter().filter(|witness| partial(witness)).count();
        if partials > MAX_PARTIAL {
            self.list.iter().position(partial)
        } else if self.list.len() > MAX_WITNESSES {
            self.list.iter().position(|witness| !partial(witness))
        } else {
            None
        }
    }
}

/// Whole seconds of learner's time.
pub(crate) fn seconds(tick: Tick) -> u32 {
    u32::try_from(tick.0 / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn witness() -> impl Strategy<Value = Witness> {
        let scope = prop_oneof![Just(Scope::Full), Just(Scope::Assisted), Just(Scope::PositiveOnly)];
        (0u32..40, 0u64..40, scope)
            .prop_map(|(second, tag, scope)| Witness::new(second, tag << 3, scope, ClientClass::Other))
    }

    /// The set, and the word of an edge whose bits are some property of the witnesses.
    fn of(list: &[Witness]) -> (Witnesses, u32) {
        let (mut set, mut word) = (Witnesses::default(), 0u32);
        for witness in list {
            if let Some(shift) = set.add(*witness) {
                word = shift.apply(word) | u32::from(marked(*witness)) << shift.at;
            }
        }
        (set, word)
    }

    fn marked(witness: Witness) -> bool {
        witness.bits().is_multiple_of(5)
    }

    proptest! {
        #[test]
        fn the_last_stay_and_bits_follow_them(list in prop::collection::vec(witness(), 0..120)) {
            let (set, word) = of(&list);
            prop_assert!(set.len() <= MAX_WITNESSES);
            for (at, witness) in set.iter().enumerate() {
                prop_assert_eq!(word >> at & 1 == 1, marked(witness));
            }
            let partial = set.iter().filter(|w| w.scope() != Scope::Full).count();
            prop_assert!(partial <= MAX_PARTIAL);
        }

        #[test]
        fn uniting_is_commutative_associative_and_as_one(
            a in prop::collection::vec(witness(), 0..60),
            b in prop::collection::vec(witness(), 0..60),
            c in prop::collection::vec(witness(), 0..60),
        ) {
            let unite = |a: &Witnesses, b: &Witnesses| { let mut all = a.clone(); all.merge(b); all };
            let (x, y, z) = (of(&a).0, of(&b).0, of(&c).0);
            prop_assert_eq!(unite(&x, &y), unite(&y, &x));
            prop_assert_eq!(unite(&unite(&x, &y), &z), unite(&x, &unite(&y, &z)));
            let mut all = a.clone();
            all.extend(&b);
            prop_assert_eq!(unite(&x, &y), of(&all).0);
        }
    }
}
