//! The faults of a link: packets that are lost or late, and a rate that varies.
//!
//! All of it is drawn from a seed, the direction and the number of a packet since the conditions were set, or the time since
//! then. So two servers that are loaded with one seed meet the same losses and the same dips.

use std::time::Duration;

/// For how long a rate stays as it is.
const STEP: Duration = Duration::from_millis(100);
/// The part of a step's deviation that the next one keeps.
const MEMORY: f64 = 0.8;
/// Steps that a rate remembers; what is left of older ones is below a hundredth.
const REMEMBERED: u64 = 24;

/// Faults of a link; the default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of the packets that are lost, each by itself.
    pub loss: f64,
    /// The most that a packet is late, drawn evenly. Packets stay in order.
    pub jitter: Duration,
    /// The standard deviation of the logarithm of the rate. It changes every 100 ms, by a Gauss-Markov process that keeps 0.8
    /// of its deviation from one step to the next; its mean is the rate of the link.
    pub swing: f64,
    /// Draws all of it.
    pub seed: u64,
}

/// The fate of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) lost: bool,
    pub(crate) late: Duration,
}

impl Faults {
    pub(crate) fn fate(&self, direction: usize, number: u64) -> Fate {
        let draw = |what: u64| share(self.seed << 32 ^ what << 60 ^ (direction as u64) << 56 ^ number);
        Fate {
            lost: self.loss > 0.0 && draw(1) < self.loss,
            late: if self.jitter.is_zero() { Duration::ZERO } else { self.jitter.mul_f64(draw(2)) },
        }
    }

    /// The rate so long after the conditions were set, as a share of the mean.
    pub(crate) fn rate(&self, after: Duration) -> f64 {
        if self.swing == 0.0 {
            return 1.0;
        }
        let step = (after.as_millis() / STEP.as_millis()) as u64 + REMEMBERED;
        let terms = (0..REMEMBERED).map(|back| MEMORY.powi(back as i32) * self.normal(step - back));
        let deviation = terms.sum::<f64>() * (1.0 - MEMORY * MEMORY).sqrt();
        (self.swing * deviation - self.swing * self.swing / 2.0).exp()
    }

    /// Box and Muller, 1958.
    fn normal(&self, step: u64) -> f64 {
        let draw = |what: u64| share(self.seed << 32 ^ what << 60 ^ step);
        (-2.0 * draw(3).ln()).sqrt() * (std::f64::consts::TAU * draw(4)).cos()
    }
}

/// Uniform in 0 to 1, neither included. SplitMix64 (Steele, Lea and Flood, 2014).
fn share(number: u64) -> f64 {
    let state = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((mixed ^ mixed >> 31) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_packets_are_lost_and_late_as_is_said_and_the_same_ones_each_time() {
        let faults = Faults { loss: 0.02, jitter: Duration::from_millis(20), swing: 0.0, seed: 7 };
        let fates: Vec<Fate> = (0..50_000).map(|number| faults.fate(1, number)).collect();
        let lost = fates.iter().filter(|fate| fate.lost).count();
        assert!((850..1150).contains(&lost), "{lost} of 50,000");
        let mean = fates.iter().map(|fate| fate.late).sum::<Duration>() / 50_000;
        assert!(mean.abs_diff(Duration::from_millis(10)) < Duration::from_millis(1), "{mean:?}");
        assert!(fates.iter().zip(0..).all(|(fate, number)| *fate == faults.fate(1, number)));
        let other = Faults { seed: 8, ..faults };
        assert!(fates.iter().zip(0..).any(|(fate, number)| *fate != other.fate(1, number)));
    }

    #[test]
    fn a_rate_varies_slowly_about_its_mean() {
        let faults = Faults { swing: 0.5, seed: 3, ..Faults::default() };
        let rates: Vec<f64> = (0..20_000).map(|step| faults.rate(STEP * step)).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        assert!((0.9..1.1).contains(&mean), "{mean}");
        let between = |by: usize| {
            let pairs = rates.iter().zip(&rates[by..]);
            pairs.map(|(a, b)| (a.ln() - b.ln()).abs()).sum::<f64>() / rates.len() as f64
        };
        assert!(between(1) < 0.75 * between(20), "{} {}", between(1), between(20));
        let at = |millis: u64| faults.rate(Duration::from_millis(millis)).to_bits();
        assert!(at(205) == at(295) && at(295) != at(305));
    }

    #[test]
    fn without_faults_every_packet_comes_at_once() {
        assert_eq!(Faults::default().fate(0, 1), Fate::default());
        assert_eq!(Faults::default().rate(Duration::from_secs(9)).to_bits(), 1.0_f64.to_bits());
    }
}
