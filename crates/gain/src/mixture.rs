//! One arm over several strata, weighted by the size of each stratum in both arms together.

use crate::bins::BINS;
use crate::sketch::{Sketch, inside};

/// A stratum's part in an arm.
pub(crate) struct Part<'a> {
    pub(crate) sketch: &'a Sketch,
    /// The stratum's share of all views, of both arms.
    pub(crate) share: f64,
}

/// The distribution of an arm, as if each stratum had its share of the whole site in it.
pub(crate) struct Mixture {
    /// For each bin its share of the weight.
    shares: Vec<f64>,
}

impl Mixture {
    pub(crate) fn new(parts: &[Part<'_>]) -> Self {
        let mut shares = vec![0.0; BINS];
        for part in parts {
            for (bin, share) in part.sketch.shares() {
                if let Some(sum) = shares.get_mut(bin) {
                    *sum += part.share * share;
                }
            }
        }
        Self { shares }
    }

    /// The time in seconds below which this share lies. `None` outside of 0 to 1: no finite time is far enough.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let mut below = 0.0;
        for (bin, part) in self.shares.iter().enumerate() {
            if below + part >= share && *part > 0.0 {
                return Some(inside(bin, (share - below) / part));
            }
            below += part;
        }
        None
    }
}

/// The standard error of the share of an arm that lies below a time, at which the whole arm has `share` below.
pub(crate) fn standard_error(parts: &[Part<'_>], time: f64) -> f64 {
    let variance = parts.iter().map(|part| {
        let below = share_below(part.sketch, time);
        part.share.powi(2) * below * (1.0 - below) / part.sketch.effective().max(1.0)
    });
    variance.sum::<f64>().sqrt()
}

fn share_below(sketch: &Sketch, time: f64) -> f64 {
    let mut below = 0.0;
    for (bin, share) in sketch.shares() {
        let (low, high) = crate::bins::bounds(bin);
        if time >= high {
            below += share;
        } else if time > low {
            let through = if low == 0.0 { time / high } else { (time / low).ln() / (high / low).ln() };
            below += share * through;
        }
    }
    below.clamp(0.0, 1.0)
}
