//! The gain of the help: views that got it against hold-outs.

mod rows;

use headstart_gain::{Difference, ExtraBytes, Sketch};

use super::ledger::{Account, Figures, Stratum};

pub(crate) use self::rows::rows;

/// Effective views of each kind below which nothing is claimed.
pub(crate) const ENOUGH: f64 = headstart_gain::ENOUGH;

/// The quantiles that are looked at, with their names.
pub(crate) const QUANTILES: [(&str, f64); 3] = [("median", 0.5), ("75th percentile", 0.75), ("90th percentile", 0.9)];

/// The difference that help makes to a page, or to all.
///
/// The time is that from a navigation to the last asset it needed. The interval is one that may be looked at again and
/// again; see `headstart_gain`.
#[derive(Clone, Debug)]
pub(crate) struct Gain {
    pub(crate) with: Sketch,
    pub(crate) without: Sketch,
    /// In the order of [`QUANTILES`]; `None` as long as there are too few of either kind.
    pub(crate) at: [Option<Difference>; 3],
    /// The cost of the help.
    pub(crate) extra: Option<ExtraBytes>,
    /// The fate of the views of both kinds.
    pub(crate) accounts: Accounts,
    /// Whether it is the first day still.
    pub(crate) preliminary: bool,
}

/// The fate of the views with help and of those without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    pub(crate) with: Account,
    pub(crate) without: Account,
}

impl Gain {
    /// O(strata · bins): less than a millisecond.
    pub(crate) fn of(figures: &Figures) -> Self {
        let arms = figures.arms();
        let accounts = Accounts { with: *figures.account(false), without: *figures.account(true) };
        Self {
            with: arms.helped,
            without: arms.held_out,
            at: Self::differences(figures, |_| true),
            extra: figures.strata().extra_bytes(|_| true, figures.look()),
            accounts,
            preliminary: figures.is_preliminary(),
        }
    }

    /// The differences of some strata.
    pub(crate) fn differences(figures: &Figures, of: impl Fn(Stratum) -> bool) -> [Option<Difference>; 3] {
        QUANTILES.map(|(_, share)| figures.strata().difference(&of, share, figures.look()))
    }

    /// The difference of the medians.
    pub(crate) fn median(&self) -> Option<&Difference> {
        self.at.first()?.as_ref()
    }

    /// Timed views of both kinds after which a difference of 5 % at the median would be seen, on average.
    pub(crate) fn views_until_five_percent(&self) -> Option<u64> {
        let timed = self.with.views().saturating_add(self.without.views());
        Some((self.median()?.until_five_percent * timed as f64).ceil() as u64)
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
        let difference = gain.median().unwrap();
        assert!((difference.share() - 0.4).abs() < 0.06, "{difference:?}");
        assert!(
            difference.is_certain() && difference.low <= difference.share() && difference.share() <= difference.high
        );
        assert!((median(&gain.without).unwrap() - 100.0).abs() < 8.0);
        assert!(gain.views_until_five_percent().unwrap() > 0);
        let Accounts { with, without } = gain.accounts;
        assert_eq!((with.timed, without.timed), (gain.with.views(), gain.without.views()));
        assert_eq!((with.open(), without.open()), (0, 0));
    }

    #[test]
    fn nothing_is_claimed_of_a_few_and_no_gain_is_said_to_be_none() {
        assert_eq!(gain(11, 60_000, 100_000).at, [None; 3]);
        assert!(!gain(200, 100_000, 100_000).median().unwrap().is_certain());
        assert_eq!(median(&Gain::of(&Figures::default()).with), None);
    }
}
