//! State that the requests of one connection share, and the slot of one of them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::resets::ResetBudget;

/// State that the requests of a connection share.
pub(super) struct Shared {
    open: AtomicUsize,
    /// It has ended.
    pub(super) closed: AtomicBool,
    pub(super) born: Instant,
    /// When the last request ended, milliseconds after `born`.
    idle_since: AtomicU64,
    resets: Mutex<ResetBudget>,
}

/// Counts as a request of its connection until nothing is left of it.
pub(super) struct Slot(Arc<Shared>);

impl Shared {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Shared {
            open: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            born: now,
            idle_since: AtomicU64::new(0),
            resets: Mutex::new(ResetBudget::new()),
        }
    }

    /// For how long no request has been open; `None` while one is.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        (self.open.load(Ordering::Acquire) == 0).then(|| self.born.elapsed().saturating_sub(since))
    }
}

impl Slot {
    /// One more request, unless `most` are open.
    pub(super) fn take(shared: &Arc<Shared>, most: usize) -> Option<Self> {
        let add = |open| (open < most).then_some(open + 1);
        let taken = shared.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        taken.is_ok().then(|| Slot(Arc::clone(shared)))
    }

    /// Whether a stream of this client may be reset now.
    pub(super) fn take_reset(&self, client: Option<IpAddr>) -> bool {
        self.0.resets.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now(), client)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.born.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
