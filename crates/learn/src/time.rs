//! Time as a number that the caller passes in.

use std::time::{Duration, SystemTime};

/// An instant, in milliseconds since an epoch that the caller chooses.
///
/// A server passes Unix time, a log replay passes the times in the log. An
/// [`std::time::Instant`] could be neither read from a log nor kept in a
/// snapshot. The arithmetic saturates: no instant overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This instant moved forward, at most to the end of time.
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// The time passed since `earlier`; zero if that lies ahead.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Time {
    /// Unix time: milliseconds since 1970 in UTC, cut off; 0 for what lies before.
    fn from(time: SystemTime) -> Self {
        Self(millis(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()))
    }
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let end = Time::from_millis(u64::MAX);
        assert_eq!(end.saturating_add(Duration::MAX), end);
        assert_eq!(Time::default().saturating_since(end), Duration::ZERO);
        assert_eq!(Time::from_millis(5).saturating_since(Time::from_millis(2)), Duration::from_millis(3));
    }

    #[test]
    fn the_system_counts_from_1970() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_500_999);
        assert_eq!(Time::from(at), Time::from_millis(1_500));
        assert_eq!(Time::from(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), Time::from_millis(0));
    }
}
