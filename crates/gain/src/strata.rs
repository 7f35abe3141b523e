//! Arms by stratum.

use crate::arms::{Arm, Arms};
use crate::boundary::Look;
use crate::difference::{Difference, compare};
use crate::extra::{ExtraBytes, extra_bytes};
use crate::sketch::Observation;
use crate::weight::Weight;

/// The arms of each stratum: of each outlet, say, or of each outlet and class of device.
///
/// `K` names a stratum. It is as large as `K` has values: the caller chooses a type with few of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strata<K> {
    /// In the order of their keys. Tables are many and have few strata: no room is taken ahead.
    arms: Vec<(K, Arms)>,
}

impl<K> Default for Strata<K> {
    fn default() -> Self {
        Self { arms: Vec::new() }
    }
}

impl<K: Copy + Ord> Strata<K> {
    /// Adds a view. O(log strata + log bins).
    pub fn add(&mut self, stratum: K, arm: Arm, observation: &Observation) {
        self.of(stratum).add(arm, observation);
    }

    /// Adds the bytes of a view. O(log strata).
    pub fn add_bytes(&mut self, stratum: K, arm: Arm, bytes: u64, weight: Weight, first_of_client: bool) {
        self.of(stratum).add_bytes(arm, bytes, weight, first_of_client);
    }

    /// Adds what others hold of one stratum. O(log strata + bins).
    pub fn merge_arms(&mut self, stratum: K, arms: &Arms) {
        self.of(stratum).merge(arms);
    }

    /// Adds what others hold. O(strata · bins).
    pub fn merge(&mut self, other: &Strata<K>) {
        for (stratum, arms) in &other.arms {
            self.of(*stratum).merge(arms);
        }
    }

    /// The strata, in order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &Arms)> {
        self.arms.iter().map(|(stratum, arms)| (*stratum, arms))
    }

    /// The difference at a quantile over the strata that `of` chooses; see [`compare`].
    pub fn difference(&self, of: impl Fn(K) -> bool, share: f64, look: Look) -> Option<Difference> {
        let chosen: Vec<&Arms> = self.iter().filter(|(stratum, _)| of(*stratum)).map(|(_, arms)| arms).collect();
        compare(&chosen, share, look)
    }

    /// The difference in bytes over the strata that `of` chooses; see [`extra_bytes`].
    pub fn extra_bytes(&self, of: impl Fn(K) -> bool, look: Look) -> Option<ExtraBytes> {
        let chosen: Vec<&Arms> = self.iter().filter(|(stratum, _)| of(*stratum)).map(|(_, arms)| arms).collect();
        extra_bytes(&chosen, look)
    }

    /// The arms of all strata as one.
    pub fn merged(&self) -> Arms {
        let mut whole = Arms::default();
        self.arms.iter().for_each(|(_, arms)| whole.merge(arms));
        whole
    }

    /// Timed views of both arms.
    pub fn views(&self) -> u64 {
        self.arms.iter().map(|(_, arms)| arms.views()).fold(0, u64::saturating_add)
    }

    /// Bytes of heap.
    pub fn bytes(&self) -> usize {
        let table = self.arms.capacity() * size_of::<(K, Arms)>();
        table + self.arms.iter().map(|(_, arms)| arms.bytes()).sum::<usize>()
    }

    /// The arms of a stratum, made if need be.
    fn of(&mut self, stratum: K) -> &mut Arms {
        let at = self.arms.binary_search_by_key(&stratum, |(key, _)| *key).unwrap_or_else(|at| {
            if self.arms.len() == self.arms.capacity() {
                self.arms.reserve_exact(1);
            }
            self.arms.insert(at, (stratum, Arms::default()));
            at
        });
        #[expect(clippy::indexing_slicing, reason = "the place of an element, or of the one just added")]
        &mut self.arms[at].1
    }
}
