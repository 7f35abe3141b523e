//! The weight of one view.

/// The inverse of the probability with which a view was drawn into its arm, as a fixed-point number: sums of weights
/// are exact and do not depend on the order.
///
/// At most 256: a view that was drawn with less than 1/256 counts as one that was drawn with 1/256, so that no single
/// view moves a figure far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u32);

impl Weight {
    /// Units of a whole.
    pub(crate) const UNIT: u32 = 256;
    /// The weight of a view that was sure to be in its arm.
    pub const ONE: Weight = Weight(Self::UNIT);

    /// The weight of a view that was drawn into its arm with this probability. A number that is no probability
    /// counts as the nearest one that is.
    pub fn from_probability(probability: f32) -> Self {
        let probability = if probability.is_nan() { 1.0 } else { probability.clamp(1.0 / 256.0, 1.0) };
        Weight((Self::UNIT as f32 / probability).round() as u32)
    }

    pub(crate) fn units(self) -> u64 {
        u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_the_inverse_of_a_probability_within_bounds() {
        assert_eq!(Weight::from_probability(1.0), Weight::ONE);
        assert_eq!(Weight::from_probability(1.0 / 32.0).units(), 32 * 256);
        assert_eq!(Weight::from_probability(0.0).units(), 256 * 256);
        for odd in [f32::NAN, f32::INFINITY, 2.0] {
            assert_eq!(Weight::from_probability(odd), Weight::ONE);
        }
        assert_eq!(Weight::from_probability(-1.0), Weight::from_probability(0.0));
    }
}
