//! Forward decay: evidence is weighed once, when it comes, by how late it comes.
//!
//! Evidence at time t adds g(t) = 2^((t - L) / H) to a sum, for a landmark L and a
//! half-life H; the decayed sum at time t is the sum divided by g(t). Sums are
//! only ever added to, never aged (Cormode, Shkapenyuk, Srivastava and Xu,
//! "Forward Decay", ICDE 2009).
//!
//! g would overflow in the end, so landmarks follow one another, 32 half-lives
//! apart. Moving a sum to the next landmark divides it by 2^32, which is exact in
//! floating point, and is done when the sum is next touched.

use crate::clock::Tick;

/// No decayed weight exceeds this many visits.
pub(crate) const MAX_WEIGHT: f32 = 1e6;

/// Half-lives between landmarks.
const EPOCH_HALF_LIVES: u64 = 32;

/// The number of a landmark.
pub(crate) type Epoch = u32;

/// Weighs evidence by the time it comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decay {
    half_life: u64,
}

impl Decay {
    /// `half_life` is in milliseconds and not zero.
    pub(crate) fn new(half_life: u64) -> Self {
        Self { half_life: half_life.max(1) }
    }

    /// After so many milliseconds nothing is left of any weight.
    pub(crate) fn max_step(self) -> u64 {
        self.half_life.saturating_mul(64)
    }

    /// The landmark for evidence at `tick`.
    pub(crate) fn epoch(self, tick: Tick) -> Epoch {
        let length = self.half_life.saturating_mul(EPOCH_HALF_LIVES);
        u32::try_from(tick.0 / length).unwrap_or(u32::MAX)
    }

    /// What is left of evidence after so many milliseconds; 0 to 1.
    pub(crate) fn remains(self, age: u64) -> f32 {
        (-(age as f64 / self.half_life as f64)).exp2() as f32
    }

    /// g: the weight of evidence at `tick`, relative to the landmark of its epoch; 1 to 2^32.
    pub(crate) fn gain(self, tick: Tick) -> f32 {
        let length = self.half_life.saturating_mul(EPOCH_HALF_LIVES);
        ((tick.0 % length) as f64 / self.half_life as f64).exp2() as f32
    }
}

/// The factor that moves a sum from one landmark to a later one.
///
/// An earlier one, which ticks never lead to, leaves it as it is.
pub(crate) fn rebase(from: Epoch, to: Epoch) -> f32 {
    match to.saturating_sub(from) {
        0 => 1.0,
        1 => 2f32.powi(-32),
        2 => 2f32.powi(-64),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const H: u64 = 86_400_000;

    #[test]
    fn half_is_left_after_a_half_life() {
        let decay = Decay::new(H);
        assert!((decay.gain(Tick(0)) - 1.0).abs() < 1e-6);
        assert!((decay.gain(Tick(H)) - 2.0).abs() < 1e-6);
        assert_eq!(decay.epoch(Tick(32 * H)), 1);
        assert!((decay.gain(Tick(32 * H)) - 1.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn weights_are_finite_and_decay_is_monotone(half_life in 60_000u64..1 << 40, a: u64, b: u64) {
            let decay = Decay::new(half_life);
            let (early, late) = (a.min(b), a.max(b));
            let sum = |at: u64, then: u64| {
                let (from, to) = (decay.epoch(Tick(at)), decay.epoch(Tick(then)));
                decay.gain(Tick(at)) * rebase(from, to) / decay.gain(Tick(then))
            };
            let now = sum(early, late);
            prop_assert!(now.is_finite() && (0.0..=1.000_001).contains(&now));
            prop_assert!(sum(early, late.saturating_add(half_life)) <= now);
        }
    }
}
