//! The last visits of a page that said something.

use crate::clock::Tick;
use crate::keys::fold;
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
    /// `page` is the keyed hash of the page that was visited; `tag` tells visits of it in one second apart.
    pub(crate) fn new(second: u32, (page, tag): (u64, u32), scope: Scope, class: ClientClass) -> Self {
        let scope = match scope {
            Scope::Full => 0,
            Scope::Assisted => 1,
            Scope::PositiveOnly => 2,
        };
        let phone = u64::from(class == ClientClass::Phone);
        Self(u64::from(second) << 32 | page >> 48 << 16 | u64::from(tag & 0xfff8) | phone << 2 | scope)
    }

    /// A tag for a visit: six bits that are the same for all visits of a network to a site, and seven that tell visits apart.
    pub(crate) fn tag(network: u64, salt: u64, visit: u32) -> u32 {
        ((fold(network, salt) >> 58) as u32) << 10 | visit & 0x03f8
    }

    /// Six bits of a keyed hash of the network and the site: a network is the same one on each page of a template.
    pub(crate) fn network(self) -> u8 {
        (self.0 >> 10) as u8 & 0x3f
    }

    /// Sixteen bits of the hash of the page that was visited.
    pub(crate) fn page(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Whether it was only partly evidence.
    fn is_partial(self) -> bool {
        self.0 & 3 != 0
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
/// Where a node stands for many pages, only the last of each page is there, full and partial evidence apart: what is
/// asked of it is what another page needs, and a page that is visited often is one page all the same.
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
    /// Makes the word of an edge that after the shift, with the new bit clear; for many words.
    pub(crate) fn on_words(self) -> impl Fn(u32) -> u32 {
        let below = |bit: usize| (1u32 << bit) - 1;
        let (stay, before) = (self.removed.map_or(u32::MAX, below), below(self.at));
        move |word| {
            let word = word & stay | word >> 1 & !stay;
            word & before | (word & !before) << 1
        }
    }
}

impl Witnesses {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Witness> {
        self.list.iter().copied()
    }

    /// Adds a visit; with `by_page`, as one of a node that stands for many pages. `None` if it is not one of the last, or
    /// known already.
    pub(crate) fn add(&mut self, witness: Witness, by_page: bool) -> Option<Shift> {
        let at = self.list.binary_search(&witness).err()?;
        if self.list.len() == self.list.capacity() {
            self.list.reserve_exact((self.list.len() / 2).max(1));
        }
        self.list.insert(at, witness);
        let twin = if by_page { self.twin(at) } else { None };
        // What was kept before is within the limits; only one more of the partial can be too many of them.
        let superfluous = || {
            if witness.is_partial() {
                self.superfluous()
            } else {
                (self.list.len() > MAX_WITNESSES).then(|| self.oldest_full()).flatten()
            }
        };
        let Some(victim) = twin.or_else(superfluous) else { return Some(Shift { removed: None, at }) };
        self.list.remove(victim);
        match victim.cmp(&at) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => Some(Shift { removed: Some(victim), at: at - 1 }),
            std::cmp::Ordering::Greater => Some(Shift { removed: Some(victim - 1), at }),
        }
    }

    /// Unites two sets; with `by_page`, those of a node that stands for many pages. Says for each kept witness which bit it
    /// has in either.
    pub(crate) fn merge(&mut self, other: &Self, by_page: bool) -> Vec<(Option<usize>, Option<usize>)> {
        let mine = std::mem::take(&mut self.list);
        let mut all: Vec<Witness> = mine.iter().chain(&other.list).copied().collect();
        all.sort_unstable();
        all.dedup();
        self.list = all;
        if by_page {
            let mut at = 0;
            while at < self.list.len() {
                match self.twin(at) {
                    Some(victim) => {
                        self.list.remove(victim);
                        at = at.saturating_sub(usize::from(victim < at));
                    }
                    None => at += 1,
                }
            }
        }
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

    /// The older one of two of the same page and kind, one of which is at `at`.
    fn twin(&self, at: usize) -> Option<usize> {
        let one = self.list.get(at)?;
        let is_twin = |other: &Witness| other.page() == one.page() && other.is_partial() == one.is_partial();
        let mut others = self.list.iter().enumerate().filter(|(place, other)| *place != at && is_twin(other));
        others.next().map(|(place, _)| place.min(at))
    }

    fn superfluous(&self) -> Option<usize> {
        let partials = self.list.iter().filter(|witness| witness.is_partial()).count();
        if partials > MAX_PARTIAL {
            self.list.iter().position(|witness| witness.is_partial())
        } else if self.list.len() > MAX_WITNESSES {
            self.oldest_full()
        } else {
            None
        }
    }

    fn oldest_full(&self) -> Option<usize> {
        self.list.iter().position(|witness| !witness.is_partial())
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
        (0u32..40, 0u64..9, 0u32..8, scope).prop_map(|(second, page, tag, scope)| {
            Witness::new(second, (page << 48, tag << 3), scope, ClientClass::Other)
        })
    }

    /// The set, and the word of an edge whose bits are some property of the witnesses.
    fn of(list: &[Witness], by_page: bool) -> (Witnesses, u32) {
        let (mut set, mut word) = (Witnesses::default(), 0u32);
        for witness in list {
            if let Some(shift) = set.add(*witness, by_page) {
                word = shift.on_words()(word) | u32::from(marked(*witness)) << shift.at;
            }
        }
        (set, word)
    }

    fn marked(witness: Witness) -> bool {
        witness.bits().is_multiple_of(5)
    }

    proptest! {
        #[test]
        fn the_last_stay_and_bits_follow_them(list in prop::collection::vec(witness(), 0..120), by_page: bool) {
            let (set, word) = of(&list, by_page);
            prop_assert!(set.len() <= MAX_WITNESSES);
            for (at, witness) in set.iter().enumerate() {
                prop_assert_eq!(word >> at & 1 == 1, marked(witness));
            }
            let partial = set.iter().filter(|w| w.scope() != Scope::Full).count();
            prop_assert!(partial <= MAX_PARTIAL);
            // By definition: the last of each page and kind, then the last of all.
            let mut all = list;
            all.sort_unstable();
            all.dedup();
            if by_page {
                let later: Vec<Witness> = all.clone();
                all.retain(|w| !later.iter().any(|l| l > w && l.page() == w.page() && l.is_partial() == w.is_partial()));
            }
            let (partial, full): (Vec<_>, Vec<_>) = all.into_iter().partition(|witness| witness.is_partial());
            let last = |of: &[Witness], most: usize| of[of.len().saturating_sub(most)..].to_vec();
            let mut expected = last(&partial, MAX_PARTIAL);
            expected.extend(last(&full, MAX_WITNESSES - expected.len()));
            expected.sort_unstable();
            prop_assert_eq!(set.list, expected);
        }

        #[test]
        fn uniting_is_commutative_associative_and_as_one(
            a in prop::collection::vec(witness(), 0..60),
            b in prop::collection::vec(witness(), 0..60),
            c in prop::collection::vec(witness(), 0..60),
            by_page: bool,
        ) {
            let unite = |a: &Witnesses, b: &Witnesses| { let mut all = a.clone(); all.merge(b, by_page); all };
            let (x, y, z) = (of(&a, by_page).0, of(&b, by_page).0, of(&c, by_page).0);
            prop_assert_eq!(unite(&x, &y), unite(&y, &x));
            prop_assert_eq!(unite(&unite(&x, &y), &z), unite(&x, &unite(&y, &z)));
            let mut all = a.clone();
            all.extend(&b);
            prop_assert_eq!(unite(&x, &y), of(&all, by_page).0);
        }
    }
}
