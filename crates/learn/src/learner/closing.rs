//! When open visits close, and are learned.

use super::Learner;
use crate::clock::Tick;
use crate::sync::{AtomicU64, Ordering, lock};
use crate::time::Time;
use crate::visits::{Closed, Visits};

/// When the first of the open visits may close, in milliseconds of the caller's time; in a cache line of its own, for
/// every plan asks.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Due(AtomicU64);

impl Due {
    pub(super) fn never() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    fn set(&self, at: u64) {
        if self.0.load(Ordering::Relaxed) != at {
            self.0.store(at, Ordering::Relaxed);
        }
    }

    fn has_come(&self, now: Time) -> bool {
        self.0.load(Ordering::Relaxed) <= now.as_millis()
    }
}

impl Learner {
    /// Learns the visits whose window has passed. Every other method that takes part
    /// in a visit does so too; a quiet server may call this now and then.
    pub fn advance(&self, now: Time) {
        let tick = self.tick(now);
        self.with_visits((now, tick), |visits, closed| visits.advance(tick, closed));
    }

    /// Closes and learns every open visit, as at shutdown.
    pub fn finish(&self, now: Time) {
        let tick = self.tick(now);
        let open = lock(&self.visits).len();
        for _ in 0..open.div_ceil(BATCH) {
            self.with_visits((now, tick), |visits, closed| visits.finish(BATCH, closed));
        }
    }

    /// Learns what is due before it is asked what is known. As long as nothing is, this reads one number.
    pub(super) fn learn_due(&self, now: Time) {
        if self.due.has_come(now) {
            self.advance(now);
        }
    }

    /// Works on the open visits, then learns those that it closed.
    pub(super) fn with_visits<T>(
        &self,
        (now, tick): (Time, Tick),
        work: impl FnOnce(&mut Visits, &mut Closed) -> T,
    ) -> T {
        let mut closed = Closed::new();
        let result = {
            let mut visits = lock(&self.visits);
            let result = work(&mut visits, &mut closed);
            let wait = visits.next_due().map(|due| due.0.saturating_sub(tick.0));
            self.due.set(wait.map_or(u64::MAX, |wait| now.as_millis().saturating_add(wait)));
            result
        };
        for visit in &mut closed {
            visit.drop_strays();
            visit.positive_only |= lock(&self.orphans).is_scattered(|| self.keys.client(visit.client), visit.opened);
            let mut model = lock(&self.model);
            // The site may have lost its place while the visit was open.
            if self.sites.has(visit.site) {
                model.learn(visit);
            }
        }
        result
    }
}

/// Visits that are taken out at a time where all are learned: few enough that what they hold is still in a cache.
const BATCH: usize = 32;
