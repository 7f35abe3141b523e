//! The difference of the two arms at a quantile, with its interval.

use crate::arms::Arms;
use crate::boundary::{Look, critical_value};
use crate::mixture::{Mixture, Part, standard_error};

/// Effective views of either arm below which a stratum is not looked at by itself, and nothing is claimed of a whole.
pub const ENOUGH: f64 = 12.0;

/// How much sooner views with help are complete than hold-outs, at one quantile of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The quantile of the hold-outs, seconds.
    pub held_out: f64,
    /// The quantile of the views that got help, seconds.
    pub helped: f64,
    /// Lower bound of the saved share: `0.1` is 10 % sooner, `-0.1` is 11 % later.
    pub low: f64,
    /// Upper bound of the saved share.
    pub high: f64,
    /// The effective number of hold-outs that it is from: as many of equal weight would be as precise.
    pub effective: f64,
    /// How many times the present evidence it takes until an effect of 5 % would be seen four times in five.
    pub until_five_percent: f64,
}

impl Difference {
    /// The saved share of the time without help.
    pub fn share(&self) -> f64 {
        1.0 - self.helped / self.held_out
    }

    /// Whether the interval excludes that help makes no difference.
    pub fn is_certain(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// The saved time in seconds, with its bounds.
    pub fn seconds(&self) -> (f64, f64, f64) {
        (self.held_out * self.low, self.held_out * self.share(), self.held_out * self.high)
    }
}

/// Compares the arms over several strata at the quantile `share`.
///
/// Each arm's strata are weighted by their share of the views of both arms (post-stratification), so that an arm that by
/// chance got more phones is not taken for slower. Strata with few views in either arm are put together. The interval
/// of a quantile is the image of that of its rank (Woodruff, "Confidence intervals for medians and other position
/// measures", 1952); the two arms' intervals are combined on a logarithmic scale (Zou and Donner, "Construction of
/// confidence limits about effect measures", 2008). `None` while there is too little evidence, or the interval is
/// unbounded. O(strata · bins).
pub fn compare(strata: &[&Arms], share: f64, look: Look) -> Option<Difference> {
    let enough = |arms: &Arms| arms.helped.effective() >= ENOUGH && arms.held_out.effective() >= ENOUGH;
    let mut rest = Arms::default();
    let chosen = chosen(strata, enough, &mut rest);
    let weight = |arms: &Arms| arms.helped.weight() + arms.held_out.weight();
    let whole: f64 = chosen.iter().map(|arms| weight(arms)).sum();
    let of = |arm: fn(&Arms) -> &crate::Sketch| -> Vec<Part<'_>> {
        chosen.iter().map(|arms| Part { sketch: arm(arms), share: weight(arms) / whole }).collect()
    };
    let critical = critical_value(look);
    let helped = Bounded::of(&of(|arms| &arms.helped), share, critical)?;
    let held_out = Bounded::of(&of(|arms| &arms.held_out), share, critical)?;
    let (below, above) = ratio(&held_out, &helped);
    let effective = chosen.iter().map(|arms| arms.held_out.effective()).sum();
    // Four times in five: the effect must exceed the half-width by .84 standard errors.
    let half_width = (above - below) / 2.0;
    let needed = half_width * (critical + 0.84) / critical;
    Some(Difference {
        held_out: held_out.at,
        helped: helped.at,
        low: 1.0 - (-below).exp(),
        high: 1.0 - (-above).exp(),
        effective,
        until_five_percent: (needed / -(0.95_f64).ln()).powi(2),
    })
}

/// The strata that can be compared by themselves, and the others put together in `rest`.
pub(crate) fn chosen<'a>(strata: &[&'a Arms], enough: impl Fn(&Arms) -> bool, rest: &'a mut Arms) -> Vec<&'a Arms> {
    strata.iter().filter(|arms| !enough(arms)).for_each(|arms| rest.merge(arms));
    let mut chosen: Vec<&Arms> = strata.iter().copied().filter(|arms| enough(arms)).collect();
    // A rest that is in one arm alone, or nearly, says nothing of the difference.
    if enough(rest) {
        chosen.push(rest);
    }
    chosen
}

/// A quantile with its bounds, seconds.
struct Bounded {
    low: f64,
    at: f64,
    high: f64,
}

impl Bounded {
    fn of(parts: &[Part<'_>], share: f64, critical: f64) -> Option<Self> {
        let mixture = Mixture::new(parts);
        let at = mixture.quantile(share)?;
        let error = critical * standard_error(parts, at);
        let bounded = Self { low: mixture.quantile(share - error)?, at, high: mixture.quantile(share + error)? };
        (bounded.low > 0.0).then_some(bounded)
    }
}

/// Bounds of ln(a / b).
fn ratio(a: &Bounded, b: &Bounded) -> (f64, f64) {
    let at = (a.at / b.at).ln();
    let below = (a.at / a.low).ln().hypot((b.high / b.at).ln());
    let above = (a.high / a.at).ln().hypot((b.at / b.low).ln());
    (at - below, at + above)
}
