//! The cost of help: how many bytes more a view transfers with it.

use crate::arms::Arms;
use crate::boundary::{Look, critical_value};
use crate::difference::{ENOUGH, chosen};
use crate::volume::Volume;

/// How many bytes more views transfer that get help: what was pushed or hinted and not needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExtraBytes {
    /// Mean bytes of a hold-out.
    pub held_out: f64,
    /// Mean bytes of a view that got help.
    pub helped: f64,
    /// Lower bound of the difference, bytes a view.
    pub low: f64,
    /// Upper bound of the difference, bytes a view.
    pub high: f64,
}

impl ExtraBytes {
    /// Bytes more a view.
    pub fn bytes(&self) -> f64 {
        self.helped - self.held_out
    }

    /// Whether the interval excludes that help costs nothing, or saves.
    pub fn is_certain(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Compares the bytes of the arms over several strata, each weighted by its share of the views of both arms. `None` while
/// there is too little evidence. O(strata).
pub fn extra_bytes(strata: &[&Arms], look: Look) -> Option<ExtraBytes> {
    let enough = |arms: &Arms| arms.helped_bytes.effective() >= ENOUGH && arms.held_out_bytes.effective() >= ENOUGH;
    let mut rest = Arms::default();
    let chosen = chosen(strata, enough, &mut rest);
    let weight = |volume: &Volume| volume.weight as f64;
    let of = |arms: &Arms| weight(&arms.helped_bytes) + weight(&arms.held_out_bytes);
    let whole: f64 = chosen.iter().map(|arms| of(arms)).sum();
    let (mut helped, mut held_out, mut variance) = (0.0, 0.0, 0.0);
    for arms in &chosen {
        let share = of(arms) / whole;
        helped += share * arms.helped_bytes.mean()?;
        held_out += share * arms.held_out_bytes.mean()?;
        variance += share.powi(2) * (arms.helped_bytes.variance_of_mean() + arms.held_out_bytes.variance_of_mean());
    }
    let (difference, error) = (helped - held_out, critical_value(look) * variance.sqrt());
    (!chosen.is_empty() && error.is_finite()).then_some(ExtraBytes {
        held_out,
        helped,
        low: difference - error,
        high: difference + error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arms::Arm;
    use crate::weight::Weight;

    #[test]
    fn an_asset_that_was_hinted_for_nothing_shows_in_the_bytes() {
        let mut arms = Arms::default();
        for view in 0..400_u64 {
            let own = 40_000 + view * 7919 % 20_000;
            arms.add_bytes(Arm::HeldOut, own, Weight::from_probability(0.25), true);
            arms.add_bytes(Arm::Helped, own + 10_000, Weight::from_probability(0.75), true);
        }
        let extra = extra_bytes(&[&arms], Look::first()).unwrap();
        assert!((extra.bytes() - 10_000.0).abs() < 64.0 && extra.is_certain(), "{extra:?}");
        assert!(extra.low < 10_000.0 && 10_000.0 < extra.high, "{extra:?}");
        assert_eq!(extra_bytes(&[], Look::first()), None);
        assert_eq!(extra_bytes(&[&Arms::default()], Look::first()), None);
    }

    #[test]
    fn strata_are_compared_within_themselves() {
        // Phones transfer a tenth, and by chance most hold-outs are phones: help costs nothing.
        let (mut phones, mut others) = (Arms::default(), Arms::default());
        for view in 0..600_u64 {
            let own = 100_000 + view * 7919 % 9_000;
            let phone = if view % 6 == 0 { view % 4 != 0 } else { view % 4 == 0 };
            let arm = if view % 6 == 0 { Arm::HeldOut } else { Arm::Helped };
            let (arms, bytes) = if phone { (&mut phones, own / 10) } else { (&mut others, own) };
            arms.add_bytes(arm, bytes, Weight::ONE, true);
        }
        let extra = extra_bytes(&[&phones, &others], Look::first()).unwrap();
        assert!(!extra.is_certain() && extra.bytes().abs() < 1_000.0, "{extra:?}");
    }
}
