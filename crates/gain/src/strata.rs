//! Arms by stratum.

use std::collections::BTreeMap;

use crate::arms::{Arm, Arms};
use crate::boundary::Look;
use crate::difference::{Difference, compare};
use crate::sketch::Observation;

/// The arms of each stratum: of each outlet, say, or of each outlet and class of device.
///
/// `K` names a stratum. It is as large as `K` has values: the caller chooses a type with few of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strata<K> {
    arms: BTreeMap<K, Arms>,
}

impl<K> Default for Strata<K> {
    fn default() -> Self {
        Self { arms: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Strata<K> {
    /// Adds a view. O(log strata + log bins).
    pub fn add(&mut self, stratum: K, arm: Arm, observation: &Observation) {
        self.arms.entry(stratum).or_default().add(arm, observation);
    }

    /// Adds what others hold. O(strata · bins).
    pub fn merge(&mut self, other: &Strata<K>) {
        for (stratum, arms) in &other.arms {
            self.arms.entry(*stratum).or_default().merge(arms);
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

    /// The arms of all strata as one.
    pub fn merged(&self) -> Arms {
        let mut whole = Arms::default();
        self.arms.values().for_each(|arms| whole.merge(arms));
        whole
    }

    /// Views of both arms.
    pub fn views(&self) -> u64 {
        self.arms.values().map(Arms::views).fold(0, u64::saturating_add)
    }

    /// Bytes of heap, about.
    pub fn bytes(&self) -> usize {
        self.arms.values().map(|arms| arms.bytes() + 2 * size_of::<(K, Arms)>()).sum()
    }
}
