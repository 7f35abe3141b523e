//! Clients of the last day, in a table of fixed size.

/// Half a day in milliseconds.
const SPAN: u64 = 12 * 60 * 60 * 1000;

/// Two Bloom filters that take turns, each for half a day: who has been here is remembered for half
/// a day to a day. Where more clients come than there is room for, the older filter is emptied early.
/// A client that was never here counts as one that was with a chance below 5 %.
#[derive(Debug)]
pub(crate) struct Returning {
    filters: [Vec<u64>; 2],
    /// The number of the present half day.
    turn: u64,
    added: usize,
}

impl Returning {
    /// A table of at most `bytes`, which is rounded down to a power of two; at least 128.
    pub(crate) fn new(bytes: usize) -> Self {
        let words = 1usize << (bytes / 16).max(8).ilog2();
        Self { filters: [vec![0; words], vec![0; words]], turn: 0, added: 0 }
    }

    /// Whether `visitor`, a keyed hash of client and site, has been here within a day; it is from now on.
    pub(crate) fn visit(&mut self, visitor: u64, now: u64) -> bool {
        let turn = now / SPAN;
        let bits = self.filters[0].len() * 64;
        if turn > self.turn || self.added > bits / 8 {
            self.filters.rotate_right(1);
            if turn > self.turn + 1 {
                self.filters[1].fill(0);
            }
            self.turn = self.turn.max(turn);
            self.filters[0].fill(0);
            self.added = 0;
        }
        let places: [(usize, u64); 3] = std::array::from_fn(|n| {
            let bit = visitor.rotate_left(21 * n as u32) as usize & (bits - 1);
            (bit / 64, 1 << (bit % 64))
        });
        let [new, old] = &mut self.filters;
        let holds = |filter: &[u64]| places.iter().all(|(word, bit)| filter.get(*word).is_some_and(|w| w & bit != 0));
        let known = holds(new) || holds(old);
        if !holds(new) {
            self.added += 1;
            for (word, bit) in places {
                new.get_mut(word).into_iter().for_each(|word| *word |= bit);
            }
        }
        known
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.filters.iter().map(|filter| filter.capacity() * 8).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

    #[test]
    fn a_client_is_remembered_for_half_a_day_and_forgotten_after_one() {
        let mut returning = Returning::new(1 << 12);
        let visitor = Keys::new([3; 16]).network(1);
        assert!(!returning.visit(visitor, 0));
        assert!(returning.visit(visitor, SPAN - 1));
        let mut returning = Returning::new(1 << 12);
        assert!(!returning.visit(visitor, 0));
        assert!(!returning.visit(visitor, 2 * SPAN));
    }

    #[test]
    fn few_strangers_are_taken_for_friends() {
        let (keys, mut returning) = (Keys::new([3; 16]), Returning::new(1 << 12));
        let bytes = returning.bytes();
        let known = (0..20_000).filter(|n| returning.visit(keys.network(*n), 0)).count();
        assert!(known < 1_000, "{known}");
        assert_eq!(returning.bytes(), bytes);
    }
}
