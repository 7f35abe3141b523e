//! Whether the server wants more work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A handle to the state; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    draining: Arc<AtomicBool>,
}

impl Health {
    /// From here on balancers are told to send nobody any more.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
