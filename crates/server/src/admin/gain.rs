//! What the help is worth: views that got it against hold-outs.

use headstart_gain::{Difference, Sketch};

use super::ledger::Figures;

/// Effective views of each kind below which nothing is claimed.
pub(crate) const ENOUGH: f64 = headstart_gain::ENOUGH;

/// The difference that help makes to a page, or to all.
///
/// The time is that from a navigation to the last asset it needed. The interval is one that may be looked at again and
/// again; see `headstart_gain`.
#[derive(Clone, Debug)]
pub(crate) struct Gain {
    pub(crate) with: Sketch,
    pub(crate) without: Sketch,
    /// At the median; `None` as long as there are too few of either kind.
    pub(crate) difference: Option<Difference>,
    /// At the 75th and the 90th percentile, which take more views.
    pub(crate) slower: [(&'static str, Option<Difference>); 2],
    /// Whether it is the first day still.
    pub(crate) preliminary: bool,
}

impl Gain {
    /// O(strata · bins): less than a millisecond.
    pub(crate) fn of(figures: &Figures) -> Self {
        let arms = figures.arms();
        let at = |share| figures.strata().difference(|_| true, share, figures.look());
        Self {
            with: arms.helped,
            without: arms.held_out,
            difference: at(0.5),
            slower: [("75th percentile", at(0.75)), ("90th percentile", at(0.9))],
            preliminary: figures.is_preliminary(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headstart_gain::Arm;

    use super::*;
    use crate::admin::median::median;

    fn gain(held_out: u64, with: u64, without: u64) -> Gain {
        let spread = |middle: u64, view: u64| Duration::from_micros(middle - middle / 4 + view * 7919 % (middle / 2));
        let views = (0..4 * held_out).map(|view| {
            if view % 4 == 0 { (Arm::HeldOut, spread(without, view)) } else { (Arm::Helped, spread(with, view)) }
        });
        Gain::of(&Figures::of(views))
    }

    #[test]
    fn a_gain_is_found_and_bounded() {
        let gain = gain(200, 60_000, 100_000);
        let difference = gain.difference.unwrap();
        assert!((difference.share() - 0.4).abs() < 0.06, "{difference:?}");
        assert!(
            difference.is_certain() && difference.low <= difference.share() && difference.share() <= difference.high
        );
        assert!((median(&gain.without).unwrap() - 100.0).abs() < 8.0);
    }

    #[test]
    fn nothing_is_claimed_of_a_few_and_no_gain_is_said_to_be_none() {
        assert_eq!(gain(11, 60_000, 100_000).difference, None);
        assert!(!gain(200, 100_000, 100_000).difference.unwrap().is_certain());
        assert_eq!(median(&Gain::of(&Figures::default()).with), None);
    }
}
