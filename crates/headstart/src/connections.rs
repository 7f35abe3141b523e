//! State that all listeners of a [`Headstart`](crate::Headstart) share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headstart_policy::Shares;

use crate::admission::Admission;

/// Limits and counts of connections, over all listeners.
pub(crate) struct Connections {
    pub(crate) h2: headstart_h2::Config,
    pub(crate) admission: Arc<Admission>,
    /// Requests under way.
    pub(crate) requests: Arc<Shares>,
    pub(crate) counters: ConnectionCounters,
}

impl Connections {
    pub(crate) fn new(h2: headstart_h2::Config, admission: Admission, requests: Arc<Shares>) -> Self {
        Connections { h2, admission: Arc::new(admission), requests, counters: ConnectionCounters::default() }
    }
}

/// How connections ended, since the start.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCounters {
    pub(crate) accepted: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) forbidden: AtomicU64,
    pub(crate) timed_out: AtomicU64,
}

impl ConnectionCounters {
    /// Counts one.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection over HTTP/2 ended with an error.
    pub(crate) fn broke_off(&self, error: &headstart_h2::Error) {
        if error.timer().is_some() {
            Self::count(&self.timed_out);
        } else if error.is_protocol() {
            Self::count(&self.forbidden);
        }
    }
}
