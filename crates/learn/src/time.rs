//! Time as a number that the caller passes in.

use std::time::Duration;

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
}
