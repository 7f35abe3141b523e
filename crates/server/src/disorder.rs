//! How exact the times of a log are, which the order of its lines tells.

/// Longer steps back count as this long, ms: what is shuffled is shuffled within a minute.
const LONGEST: u64 = 60_000;
/// Shorter steps, in milliseconds, come of workers that write one log.
const LEAST: u64 = 3_000;
/// One line in so many has to stand so far behind the line before it.
const ONE_IN: u64 = 20;

/// Steps from one line to the next. A log in order has next to none back, and one with the newest line first next to none
/// forward; one whose seconds were shuffled or given by several clocks has many of both, and they are as long as its times
/// are wrong.
#[derive(Clone, Debug)]
pub(crate) struct Disorder {
    previous: Option<u64>,
    lines: u64,
    back: Steps,
    forward: Steps,
}

/// By their length in seconds.
type Steps = [u64; (LONGEST / 1_000) as usize + 1];

impl Disorder {
    pub(crate) fn new() -> Self {
        let none = [0; (LONGEST / 1_000) as usize + 1];
        Self { previous: None, lines: 0, back: none, forward: none }
    }

    /// Takes in the time of the next line, in milliseconds since 1970.
    pub(crate) fn add(&mut self, time: u64) {
        let previous = self.previous.replace(time).unwrap_or(time);
        self.lines += 1;
        let steps = if time < previous { &mut self.back } else { &mut self.forward };
        let seconds = time.abs_diff(previous).min(LONGEST) / 1_000;
        if let Some(count) = usize::try_from(seconds).ok().and_then(|at| steps.get_mut(at)) {
            *count += 1;
        }
    }

    /// How far times may be off, in milliseconds: every twentieth line steps as far back, and every twentieth as far forward.
    /// 0 for a log that is in order, or in the order from the newest line to the oldest.
    pub(crate) fn millis(&self) -> u64 {
        self.common(&self.back).min(self.common(&self.forward))
    }

    /// The step that every twentieth line reaches.
    fn common(&self, steps: &Steps) -> u64 {
        let mut left = self.lines / ONE_IN;
        for (seconds, count) in steps.iter().enumerate().rev() {
            if left <= *count {
                let millis = seconds as u64 * 1_000;
                return if millis >= LEAST && left > 0 { millis } else { 0 };
            }
            left -= count;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> u64 {
        let mut disorder = Disorder::new();
        times.into_iter().for_each(|time| disorder.add(time));
        disorder.millis()
    }

    #[test]
    fn a_log_in_order_has_none() {
        assert_eq!(of([]), 0);
        assert_eq!(of([5_000]), 0);
        assert_eq!(of((0..1_000).map(|n| n * 100)), 0);
        // Two workers, a second apart.
        assert_eq!(of((0..1_000).map(|n| n * 100 + n % 2 * 1_000)), 0);
        // One line in fifty is of a download that began a minute ago.
        assert_eq!(of((0..1_000).map(|n| 100_000 + n * 100 - u64::from(n % 50 == 0) * 60_000)), 0);
        // The newest line first.
        assert_eq!(of((0..1_000).rev().map(|n| n * 17_000)), 0);
        // One log behind the other, each in order.
        assert_eq!(of((0..100).chain(0..100).map(|n| n * 3_600_000)), 0);
    }

    #[test]
    fn shuffled_seconds_are_off_by_most_of_their_minute() {
        let noise = |n: u64| {
            let mixed = (n ^ n >> 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
        };
        let millis = of((0..10_000).map(|n| n / 100 * 3_600_000 + noise(n) % 60 * 1_000));
        assert!((35_000..=59_000).contains(&millis), "{millis}");
    }

    #[test]
    fn two_clocks_are_off_by_their_distance() {
        assert_eq!(of((0..1_000).map(|n| 100_000 + n * 100 - n % 2 * 30_000)), 29_000);
    }
}
