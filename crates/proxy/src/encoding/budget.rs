//! The memory that the encoders of an upstream may take together.

use std::sync::Arc;

use headstart_coding::{Coding, Encoder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory in KiB, half of it for streams of events: these are open for as long as their page is, and take no memory from
/// responses that end.
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

/// Room for one encoder, given back when it is dropped.
pub(crate) struct Room {
    _all: OwnedSemaphorePermit,
    _events: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        let kib = usize::try_from(bytes >> 10).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Budget { all: Arc::new(Semaphore::new(kib)), events: Arc::new(Semaphore::new(kib / 2)) }
    }

    /// Room for an encoder, if there is any.
    pub(super) fn take(&self, coding: Coding, is_events: bool) -> Option<Room> {
        let kib = u32::try_from(Encoder::memory(coding) >> 10).ok()?;
        let events = if is_events { Some(Arc::clone(&self.events).try_acquire_many_owned(kib).ok()?) } else { None };
        let all = Arc::clone(&self.all).try_acquire_many_owned(kib).ok()?;
        Some(Room { _all: all, _events: events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_share_a_memory() {
        let budget = Budget::new(4 << 20);
        let many = |coding, is_events| (0..100).map_while(|_| budget.take(coding, is_events)).collect::<Vec<_>>();
        let events = many(Coding::Gzip, true);
        assert_eq!(events.len(), (2 << 20) / Encoder::memory(Coding::Gzip));
        let others = many(Coding::Br, false);
        assert_eq!(others.len(), 1, "events leave half of it");
        drop(events);
        assert_eq!(many(Coding::Gzip, false).len(), (2 << 20) / Encoder::memory(Coding::Gzip));
        assert!(Budget::new(0).take(Coding::Gzip, false).is_none());
    }
}
