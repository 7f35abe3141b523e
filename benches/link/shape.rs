//! Delay, rate, queue and faults of a link, and what it has carried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::faults::{Fate, Faults};

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
    /// Loss, jitter and a rate that varies. A relayed link has only the last.
    pub faults: Faults,
}

impl Conditions {
    /// A queue of 200 ms, which is common for access links, and no faults.
    pub fn new(round_trip_millis: u64, megabits_per_second: u64) -> Self {
        Self {
            round_trip: Duration::from_millis(round_trip_millis),
            bits_per_second: megabits_per_second * 1_000_000,
            queue: Duration::from_millis(200),
            faults: Faults::default(),
        }
    }
}

/// Shared by the threads of a link; may change while they run.
#[derive(Debug, Default)]
pub struct Shape {
    one_way_nanos: AtomicU64,
    bits_per_second: AtomicU64,
    queue_nanos: AtomicU64,
    since: Mutex<Since>,
    carried: [AtomicU64; 2],
    drops: AtomicU64,
}

/// The faults, when they were set, and the packets that have come in each direction since.
#[derive(Clone, Copy, Debug)]
struct Since {
    faults: Faults,
    set: Instant,
    packets: [u64; 2],
}

impl Default for Since {
    fn default() -> Self {
        Self { faults: Faults::default(), set: Instant::now(), packets: [0; 2] }
    }
}

impl Shape {
    pub(crate) fn set(&self, conditions: Conditions) {
        *self.since() = Since { faults: conditions.faults, ..Since::default() };
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

    /// How long the link is busy with so many bytes from an instant on; a link whose rate was not set takes no time.
    pub(crate) fn transmission(&self, bytes: usize, at: Instant) -> Duration {
        let nanos = (bytes as u64).saturating_mul(8_000_000_000);
        let even = Duration::from_nanos(nanos.checked_div(self.bits_per_second.load(Ordering::Relaxed)).unwrap_or(0));
        let Since { faults, set, .. } = *self.since();
        if faults.swing == 0.0 { even } else { even.div_f64(faults.rate(at.saturating_duration_since(set))) }
    }

    /// Counts a packet; its fate.
    pub(crate) fn fate(&self, direction: usize) -> Fate {
        let mut since = self.since();
        let number = since.packets[direction];
        since.packets[direction] += 1;
        since.faults.fate(direction, number)
    }

    fn since(&self) -> MutexGuard<'_, Since> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
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
