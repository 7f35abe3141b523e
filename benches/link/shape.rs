//! Delay, rate and queue of a link, and what it has carried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const UP: usize = 0;
pub(crate) const DOWN: usize = 1;

/// The properties of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// There and back, without what queues and rate add.
    pub round_trip: Duration,
    /// Bits a second in each direction, headers of IP and TCP included.
    pub bits_per_second: u64,
    /// The capacity of the queue before the link, as the time to send it; packets beyond it are dropped.
    pub queue: Duration,
}

impl Conditions {
    /// A queue of 200 ms, which is common for access links.
    pub fn new(round_trip_millis: u64, megabits_per_second: u64) -> Self {
        Self {
            round_trip: Duration::from_millis(round_trip_millis),
            bits_per_second: megabits_per_second * 1_000_000,
            queue: Duration::from_millis(200),
        }
    }
}

/// Shared by the threads of a link; may change while they run.
#[derive(Debug, Default)]
pub struct Shape {
    one_way_nanos: AtomicU64,
    bits_per_second: AtomicU64,
    queue_nanos: AtomicU64,
    carried: [AtomicU64; 2],
    drops: AtomicU64,
}

impl Shape {
    pub(crate) fn set(&self, conditions: Conditions) {
        self.one_way_nanos.store(conditions.round_trip.as_nanos() as u64 / 2, Ordering::Relaxed);
        self.bits_per_second.store(conditions.bits_per_second, Ordering::Relaxed);
        self.queue_nanos.store(conditions.queue.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn one_way(&self) -> Duration {
        Duration::from_nanos(self.one_way_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn queue(&self) -> Duration {
        Duration::from_nanos(self.queue_nanos.load(Ordering::Relaxed))
    }

    /// How long the link is busy with so many bytes; a link whose rate was not set takes no time.
    pub(crate) fn transmission(&self, bytes: usize) -> Duration {
        let nanos = (bytes as u64).saturating_mul(8_000_000_000);
        Duration::from_nanos(nanos.checked_div(self.bits_per_second.load(Ordering::Relaxed)).unwrap_or(0))
    }

    pub(crate) fn count(&self, direction: usize, bytes: usize) {
        self.carried[direction].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_drop(&self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn carried(&self, direction: usize) -> u64 {
        self.carried[direction].load(Ordering::Relaxed)
    }

    pub(crate) fn drops(&self) -> u64 {
        self.drops.load(Ordering::Relaxed)
    }
}
