//! Which navigations get nothing early, so that there is evidence of what pages need by themselves.

use std::hash::Hasher as _;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use siphasher::sip::SipHasher13;

/// Draws one navigation of each run of `every`, at a place that nobody without the key can tell: the rate is exact
/// and a client cannot time its requests to it.
pub(crate) struct Holdout {
    every: Option<NonZeroU32>,
    drawn: AtomicU64,
    key: [u8; 16],
}

impl Holdout {
    /// `every` 0 draws none.
    pub(crate) fn new(every: u32, key: [u8; 16]) -> Self {
        Holdout { every: NonZeroU32::new(every), drawn: AtomicU64::new(0), key }
    }

    pub(crate) fn draw(&self) -> bool {
        let Some(every) = self.every.map(|every| u64::from(every.get())) else {
            return false;
        };
        let turn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u64(turn / every);
        hasher.finish() % every == turn % every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_run_is_drawn() {
        let holdout = Holdout::new(32, [9; 16]);
        let mut places = std::collections::HashSet::new();
        for _ in 0..100 {
            let drawn: Vec<usize> = (0..32).filter(|_| holdout.draw()).collect();
            assert_eq!(drawn.len(), 1);
            places.extend(drawn);
        }
        assert!(places.len() > 20, "places are spread: {places:?}");
    }

    #[test]
    fn none_and_all() {
        assert!((0..100).all(|_| !Holdout::new(0, [0; 16]).draw()));
        let all = Holdout::new(1, [0; 16]);
        assert!((0..100).all(|_| all.draw()));
    }
}
