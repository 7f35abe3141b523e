//! Whether a connection is at work.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

/// Counts the open exchanges of one connection and remembers since when there is none. The server closes idle
/// connections first when it needs their slots.
#[derive(Debug)]
pub(crate) struct Activity {
    /// The instant that `idle_since` counts from; the same for all connections of a server.
    epoch: Instant,
    open: AtomicU32,
    ended: AtomicU64,
    /// When the last exchange ended, milliseconds since `epoch`.
    idle_since: AtomicU64,
}

impl Activity {
    /// A connection without exchanges, idle as of now.
    #[cfg(feature = "serve")]
    pub(crate) fn new(epoch: Instant) -> Self {
        let (ended, idle_since) = Default::default();
        let activity = Activity { epoch, open: AtomicU32::new(0), ended, idle_since };
        activity.idle_since.store(activity.elapsed(), Ordering::Relaxed);
        activity
    }

    /// An exchange begins.
    pub(crate) fn begin(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// An exchange ends.
    pub(crate) fn end(&self) {
        self.idle_since.store(self.elapsed(), Ordering::Relaxed);
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many exchanges there were that are over.
    #[cfg(feature = "serve")]
    pub(crate) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Milliseconds between the epoch and the end of the last exchange; `None` while one is open.
    #[cfg(feature = "serve")]
    pub(crate) fn idle_since(&self) -> Option<u64> {
        (self.open.load(Ordering::Relaxed) == 0).then(|| self.idle_since.load(Ordering::Relaxed))
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
