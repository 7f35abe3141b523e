//! How many distinct networks: a keyed bitmap in one word.

/// The networks that something was seen from, as a linear counter of 32 bits
/// (Whang, Vander-Zanden and Taylor, "A Linear-Time Probabilistic Counting
/// Algorithm", 1990).
///
/// A network sets one bit, chosen by a keyed hash that also knows what was seen.
/// So one network never counts for two; two may count for one, which delays the
/// gate but never opens it early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Networks(pub(crate) u32);

impl Networks {
    /// Adds `network`, a keyed hash, as seen for `thing`, another.
    pub(crate) fn add(&mut self, network: u64, thing: u64) {
        // Both factors are secret; the high half of the product depends on every bit of each.
        let mixed = u128::from(network ^ thing) * u128::from(thing | 1);
        let folded = (mixed >> 64) as u64 ^ mixed as u64;
        self.0 |= 1 << (folded >> 59);
    }

    /// At least so many networks, for certain.
    pub(crate) fn at_least(self) -> u32 {
        self.0.count_ones()
    }

    /// The likeliest number of networks.
    pub(crate) fn estimate(self) -> u32 {
        let zeros = f64::from(self.0.count_zeros().max(1));
        (32.0 * (32.0 / zeros).ln()).round() as u32
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;

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
        assert!((1_900..2_100).contains(&total), "{total}");
    }
}
