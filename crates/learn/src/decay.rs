//! Forward decay in whole numbers: evidence is weighed once, when it comes, by how late it comes.
//!
//! Evidence at time t adds g(t) = 16 * 2^((t - L) / H) to a sum, for a landmark L and a half-life H,
//! rounded to a whole number; the decayed sum at time t is the sum divided by g(t). Sums are only
//! ever added to, never aged (Cormode, Shkapenyuk, Srivastava and Xu, "Forward Decay", ICDE 2009),
//! so adding up sums of several learners is exact in any order.
//!
//! Landmarks follow one another, eight half-lives apart; they are the same for all learners of one
//! half-life. Of two sums the one with the later landmark stands: what came before the earlier one weighs
//! a 256th at most, and the last visits that said something are kept apart (see `witnesses`).

use crate::clock::Tick;

/// Half-lives between landmarks.
const EPOCH_HALF_LIVES: u64 = 8;

/// The weight of a visit at its landmark.
const UNIT: f32 = 16.0;

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

    pub(crate) fn half_life(self) -> u64 {
        self.half_life
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

    /// The amount that a visit at `tick` adds to sums of its epoch, if it counts for `share` visits; 1 to 2^15.
    pub(crate) fn gain(self, tick: Tick, share: f32) -> u32 {
        (self.relative(tick) * UNIT * share).round().clamp(1.0, 32_768.0) as u32
    }

    /// The factor from sums of `epoch` to visits as of `tick`.
    pub(crate) fn scale(self, epoch: Epoch, tick: Tick) -> f32 {
        let behind = self.epoch(tick).saturating_sub(epoch);
        let half_lives = u64::from(behind).saturating_mul(EPOCH_HALF_LIVES).min(200) as f32;
        1.0 / (UNIT * self.relative(tick) * half_lives.exp2())
    }

    /// 2^((t - L) / H); 1 to 2^8, and more after the last landmark that has a number, thousands of years from now.
    fn relative(self, tick: Tick) -> f32 {
        let length = self.half_life.saturating_mul(EPOCH_HALF_LIVES);
        let since = tick.0.saturating_sub(u64::from(self.epoch(tick)).saturating_mul(length));
        (since as f64 / self.half_life as f64).exp2() as f32
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
        let now = |tick| decay.gain(Tick(0), 1.0) as f32 * decay.scale(0, Tick(tick));
        assert!((now(0) - 1.0).abs() < 1e-6);
        assert!((now(H) - 0.5).abs() < 1e-6);
        assert!((now(10 * H) - 1.0 / 1024.0).abs() < 1e-6);
        assert_eq!(decay.epoch(Tick(8 * H)), 1);
        assert_eq!(decay.gain(Tick(8 * H), 2.0), 32);
    }

    #[track_caller]
    fn check(half_life: u64, early: u64, late: u64) {
        let decay = Decay::new(half_life);
        let sum = |then: u64| decay.gain(Tick(early), 1.0) as f32 * decay.scale(decay.epoch(Tick(early)), Tick(then));
        let now = sum(late);
        assert!(now.is_finite() && (0.0..=1.05).contains(&now), "{now}");
        assert!(sum(late.saturating_add(half_life)) <= now * 1.001, "{now}");
    }

    #[test]
    fn decay_goes_on_after_the_last_landmark() {
        check(55_676_774, 1_913_039_387_376_048_697, 2_229_464_843_864_197_530);
        check(60_000, u64::MAX / 2, u64::MAX);
        check(60_000, u64::MAX, u64::MAX);
    }

    proptest! {
        #[test]
        fn weights_are_finite_and_decay_is_monotone(half_life in 60_000u64..1 << 40, a: u64, b: u64) {
            check(half_life, a.min(b), a.max(b));
        }
    }
}
