//! How wide an interval has to be so that it may be looked at again and again.
//!
//! The error of a figure, in units of its own standard error, moves like B(t)/√t, where B is a Brownian motion and t
//! the evidence in units of that of the first look (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
//! central limit theory and asymptotic confidence sequences", 2021). An interval that is never to miss the truth, at
//! whatever time one looks, with a probability of 95 %, needs a boundary that B(t)/√t crosses at any t >= 1 with a
//! probability of at most 5 %.
//!
//! B(t)/√t in ln t is a stationary process that crosses ±c some φ(c)(c - 1/c) times a unit. A level of 3.06 uses
//! up .04 of the 5 % until t = 30, which is a month for who looks first after a day; the rest is spent afterwards on
//! a level that rises as √(2 ln t).

/// The level of the first month.
const LEVEL: f64 = 3.06;
/// Until this multiple of the first look's evidence the level stays.
const FLAT: f64 = 30.0;

/// One look at a growing figure: how much more evidence there is than at the first.
///
/// When the first look is taken must not depend on the times that were measured: after a day, say, or after a fixed
/// number of hold-outs.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Look(f64);

impl Look {
    /// The first look, or the only one.
    pub fn first() -> Self {
        Look(1.0)
    }

    /// A look at a figure with so many effective hold-outs, of which the first look had `first`. `None` before the first.
    pub fn at(effective: f64, first: f64) -> Option<Self> {
        let ratio = effective / first;
        (first > 0.0 && ratio >= 1.0).then_some(Look(ratio))
    }
}

/// Standard errors to either side of a figure, for an interval that covers the truth at all looks together with a
/// probability of 95 %. A single look that was fixed beforehand would need 1.96.
pub fn critical_value(look: Look) -> f64 {
    (LEVEL * LEVEL + 2.0 * (look.0 / FLAT).max(1.0).ln()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_flat_for_a_month_and_rises_slowly() {
        assert!((critical_value(Look::first()) - LEVEL).abs() < 1e-9);
        assert!((critical_value(Look(30.0)) - LEVEL).abs() < 1e-9);
        let year = critical_value(Look(365.0));
        assert!((3.7..3.9).contains(&year), "{year}");
    }

    #[test]
    fn there_is_no_look_before_the_first() {
        assert_eq!(Look::at(63.0, 64.0), None);
        assert_eq!(Look::at(63.0, 0.0), None);
        assert_eq!(Look::at(f64::NAN, 64.0), None);
        assert_eq!(Look::at(128.0, 64.0), Some(Look(2.0)));
    }
}
