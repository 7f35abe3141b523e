//! How many streams of a connection may be reset for clients that left.
//!
//! Servers count resets against the connection, which all clients share: Node closes one that resets too often, and
//! breaks the responses of the others with it.

use tokio::time::Instant;

/// Resets at once, and each second from then on: far below where servers begin to suspect an attack (nghttp2, which
/// Node uses: 1,000 and 33).
const BURST: f64 = 64.0;
const PER_SECOND: f64 = 8.0;

#[derive(Debug)]
pub(super) struct ResetBudget {
    left: f64,
    at: Instant,
}

impl ResetBudget {
    pub(super) fn new(now: Instant) -> Self {
        ResetBudget { left: BURST, at: now }
    }

    /// Takes one reset, if there is one left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * PER_SECOND).min(BURST);
        self.at = now;
        let takes = self.left >= 1.0;
        if takes {
            self.left -= 1.0;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_a_rate() {
        let begun = Instant::now();
        let mut budget = ResetBudget::new(begun);
        assert_eq!((0..1000).filter(|_| budget.take(begun)).count(), 64);
        let later = begun + Duration::from_secs(2);
        assert_eq!((0..1000).filter(|_| budget.take(later)).count(), 16);
        assert_eq!((0..1000).filter(|_| budget.take(later + Duration::from_secs(3600))).count(), 64);
    }
}
