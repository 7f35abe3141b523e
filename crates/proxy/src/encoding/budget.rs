//! The memory that the encoders of an upstream may take together.

use std::sync::Arc;

use headstart_coding::{Coding, Encoder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory in KiB.
pub(crate) struct Budget(Arc<Semaphore>);

/// Room for one encoder, given back when it is dropped.
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        let kib = usize::try_from(bytes >> 10).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Budget(Arc::new(Semaphore::new(kib)))
    }

    /// Room for an encoder, if there is any.
    pub(super) fn take(&self, coding: Coding) -> Option<Room> {
        let kib = u32::try_from(Encoder::memory(coding) >> 10).ok()?;
        Some(Room { _permit: Arc::clone(&self.0).try_acquire_many_owned(kib).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_share_a_memory() {
        let budget = Budget::new(4 << 20);
        let many = |coding| (0..100).map_while(|_| budget.take(coding)).collect::<Vec<_>>();
        let all = many(Coding::Gzip);
        assert_eq!(all.len(), (4 << 20) / Encoder::memory(Coding::Gzip));
        assert!(budget.take(Coding::Br).is_none());
        drop(all);
        assert_eq!(many(Coding::Br).len(), (4 << 20) / Encoder::memory(Coding::Br));
        assert!(Budget::new(0).take(Coding::Gzip).is_none());
    }
}
