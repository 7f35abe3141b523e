//! A site whose times are log-normal, watched every day.

use std::time::Duration;

use headstart_gain::{Arm, Arms, Look, Observation, Weight, compare, critical_value};

/// The simulated site.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Views of each day.
    pub views_a_day: usize,
    /// The probability that a view is held out.
    pub held_out: f64,
    /// The share of the time that help saves, at every quantile.
    pub gain: f64,
    /// Standard deviation of the logarithm of the times.
    pub sigma: f64,
    /// How long it is watched.
    pub days: usize,
}

/// The findings of an operator who looked at the end of each day.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Every interval of every day covered the truth.
    pub always_covered: bool,
    /// The first day on which an interval excluded that help makes no difference.
    pub certain_on_day: Option<usize>,
    /// Width of the last interval, in widths of one for a single look.
    pub width: f64,
}

/// The days of a site. Runs with different numbers are independent of each other.
pub fn run(site: Site, number: u64) -> Seen {
    // Mixed: generators whose states are multiples of the step would draw the same numbers, a few places apart.
    let mut random = Random(Random(number).next());
    let mut arms = Arms::default();
    let (mut first, mut seen) = (None, Seen { always_covered: true, certain_on_day: None, width: 0.0 });
    for day in 1..=site.days {
        for _ in 0..site.views_a_day {
            let held_out = random.share() < site.held_out;
            let (arm, probability, factor) = if held_out {
                (Arm::HeldOut, site.held_out, 1.0)
            } else {
                (Arm::Helped, 1.0 - site.held_out, 1.0 - site.gain)
            };
            let seconds = factor * (site.sigma * random.normal()).exp();
            let weight = Weight::from_probability(probability as f32);
            arms.add(arm, &Observation { time: Duration::from_secs_f64(seconds), weight, first_of_client: true });
        }
        let effective = arms.held_out.effective();
        let Some(look) = Look::at(effective, *first.get_or_insert(effective)) else { continue };
        let Some(difference) = compare(&[&arms], 0.5, look) else { continue };
        seen.always_covered &= difference.low <= site.gain && site.gain <= difference.high;
        if difference.is_certain() && seen.certain_on_day.is_none() {
            seen.certain_on_day = Some(day);
        }
        seen.width = critical_value(look) / 1.96;
    }
    seen
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in 0 to 1, neither included.
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Box and Muller, 1958.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}
