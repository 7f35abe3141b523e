//! When a certificate is renewed, and when an order that failed is tried again. Time is an argument.

use std::time::{Duration, SystemTime};

/// Longest wait after failures: authorities count failures by the hour and the week.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// When to renew: after two thirds of its time, which leaves a month of the usual 90 days for what may go wrong.
pub(super) fn renewal(not_before: SystemTime, not_after: SystemTime) -> SystemTime {
    let lifetime = not_after.duration_since(not_before).unwrap_or_default();
    not_before + lifetime / 3 * 2
}

/// How long to wait after so many failures in a row: three times as long each time.
pub(super) fn wait(failures: u32, first: Duration) -> Duration {
    let factor = 3_u32.saturating_pow(failures.saturating_sub(1));
    first.saturating_mul(factor).min(LONGEST.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_third_of_the_time_is_left() {
        let from = SystemTime::UNIX_EPOCH + 1000 * DAY;
        assert_eq!(renewal(from, from + 90 * DAY), from + 60 * DAY);
        assert_eq!(renewal(from, from + 6 * DAY), from + 4 * DAY);
        assert_eq!(renewal(from, from - DAY), from, "nonsense is renewed at once");
    }

    #[test]
    fn waits_grow_to_a_bound() {
        let minute = Duration::from_secs(60);
        let waits: Vec<u64> = (1..=8).map(|failures| wait(failures, minute).as_secs() / 60).collect();
        assert_eq!(waits, [1, 3, 9, 27, 81, 243, 360, 360]);
        assert_eq!(wait(u32::MAX, minute), LONGEST);
        assert_eq!(wait(1, 2 * DAY), 2 * DAY);
    }
}
