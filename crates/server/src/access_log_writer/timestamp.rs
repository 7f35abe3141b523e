//! Times as logs spell them.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;

/// Spells times in UTC. Lines come in many a second, so the last second's spelling is kept.
#[derive(Debug, Default)]
pub(super) struct Timestamps {
    second: Option<u64>,
    /// `22/Nov/2026:19:52:59 +0000`
    clf: String,
    /// `2026-11-22T19:52:59`
    iso: String,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Timestamps {
    /// As in Common Log Format.
    pub(super) fn clf(&mut self, time: SystemTime) -> &str {
        self.turn_to(time);
        &self.clf
    }

    /// By RFC 3339, with milliseconds.
    pub(super) fn rfc3339(&mut self, time: SystemTime) -> String {
        let since = self.turn_to(time);
        format!("{}.{:03}Z", self.iso, since.subsec_millis())
    }

    fn turn_to(&mut self, time: SystemTime) -> Duration {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            self.spell(time.max(UNIX_EPOCH));
        }
        since
    }

    /// `Sun, 22 Nov 2026 19:52:59 GMT` has all that is needed.
    fn spell(&mut self, time: SystemTime) {
        self.clf.clear();
        self.iso.clear();
        let text = HttpDate::from(time).to_string();
        let mut words = text.split(' ').skip(1);
        let mut word = || words.next().unwrap_or_default();
        let (day, month, year, clock) = (word(), word(), word(), word());
        let number = MONTHS.iter().position(|name| *name == month).map_or(0, |at| at + 1);
        // Writing to a string does not fail.
        let _ = write!(self.clf, "{day}/{month}/{year}:{clock} +0000");
        let _ = write!(self.iso, "{year}-{number:02}-{day}T{clock}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_as_logs_do() {
        let mut timestamps = Timestamps::default();
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(timestamps.clf(at(1_795_377_179_042)), "22/Nov/2026:19:52:59 +0000");
        assert_eq!(timestamps.rfc3339(at(1_795_377_179_042)), "2026-11-22T19:52:59.042Z");
        assert_eq!(timestamps.rfc3339(at(1_795_377_179_999)), "2026-11-22T19:52:59.999Z");
        assert_eq!(timestamps.rfc3339(at(1_795_377_180_000)), "2026-11-22T19:53:00.000Z");
        assert_eq!(timestamps.clf(at(951_782_400_000)), "29/Feb/2000:00:00:00 +0000");
    }
}
