//! How many streams of a connection may be reset for clients that left.
//!
//! Servers count resets against the connection, which all clients share: Node closes one that resets too often, and
//! breaks the responses of the others with it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use headstart_policy::{Share, Shares};
use tokio::time::Instant;

/// Resets in [`WINDOW`], of all clients of a connection: far below where servers begin to suspect an attack (nghttp2,
/// which Node uses: 1,000 at once and 33 a second).
const MOST: usize = 64;
const WINDOW: Duration = Duration::from_secs(8);

/// The resets of the last eight seconds, as shares: a client that resets much leaves something to the others.
#[derive(Debug)]
pub(super) struct ResetBudget {
    shares: Arc<Shares>,
    taken: VecDeque<(Instant, Share)>,
}

impl ResetBudget {
    pub(super) fn new() -> Self {
        ResetBudget { shares: Shares::new(MOST, 0), taken: VecDeque::new() }
    }

    /// Takes one reset for a client, if it may have one.
    pub(super) fn take(&mut self, now: Instant, client: Option<IpAddr>) -> bool {
        while self.taken.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            self.taken.pop_front();
        }
        let share = self.shares.try_take(client);
        let may = share.is_some();
        self.taken.extend(share.map(|share| (now, share)));
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_resets_much_leaves_some_to_others() {
        let begun = Instant::now();
        let mut budget = ResetBudget::new();
        let client = |last| Some(IpAddr::from([192, 0, 2, last]));
        let mut resets = |at, last| (0..1000).filter(|_| budget.take(at, client(last))).count();
        assert_eq!(resets(begun, 1), 48);
        assert!((4..=8).contains(&resets(begun + Duration::from_secs(1), 2)));
        assert!((3..100).filter(|last| resets(begun + Duration::from_secs(2), *last) > 0).count() >= 4);
        assert_eq!(resets(begun + Duration::from_secs(7), 1), 0);
        assert!(resets(begun + Duration::from_secs(8), 1) >= 20, "those of before are forgotten");
    }
}
