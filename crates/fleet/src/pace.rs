//! When the task does what.

use std::time::Duration;

use tokio::time::Instant;

/// Something that is done every now and then, not by all servers at the same moment.
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    last: Instant,
    due: Instant,
}

impl Pace {
    /// First after a part of `every` that is drawn.
    pub(crate) fn new(every: Duration) -> Self {
        let now = Instant::now();
        Pace { every, last: now, due: now + every.mul_f64(share()) }
    }

    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Since it was last done.
    pub(crate) fn elapsed(&self) -> Duration {
        self.last.elapsed()
    }

    /// It was done: again after `every`, give or take a fifth.
    pub(crate) fn done(&mut self) {
        self.last = Instant::now();
        self.due = self.last + self.every.mul_f64(0.8 + 0.4 * share());
    }

    /// Soon: within `most`.
    pub(crate) fn hasten(&mut self, most: Duration) {
        self.due = self.due.min(Instant::now() + most.mul_f64(share()));
    }

    pub(crate) fn set_every(&mut self, every: Duration) {
        self.every = every;
    }
}

/// How long nothing is tried after a failure: longer with each in a row, up to half a minute.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    pub(crate) fn failed(&mut self) {
        let wait = Duration::from_millis(500) * 2u32.saturating_pow(self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Instant::now() + wait.min(Duration::from_secs(30)).mul_f64(0.5 + 0.5 * share()));
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Backoff::default();
    }
}

/// Bytes that may be read or told. Whoever spends more than there are waits for the rest.
#[derive(Debug)]
pub(crate) struct Allowance {
    bytes: f64,
    most: f64,
    /// Bytes a second.
    rate: f64,
    refilled: Instant,
}

impl Allowance {
    /// `most` bytes at once, and `rate` a second from then on.
    pub(crate) fn new(most: usize, rate: usize) -> Self {
        Allowance { bytes: most as f64, most: most as f64, rate: rate as f64, refilled: Instant::now() }
    }

    /// None at first.
    pub(crate) fn empty(most: usize) -> Self {
        Allowance { bytes: 0.0, ..Self::new(most, 0) }
    }

    /// Bytes a second from now on.
    pub(crate) fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.max(0.0) as usize
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        self.bytes -= bytes as f64;
    }

    pub(crate) fn refill(&mut self) {
        self.bytes = (self.bytes + self.rate * self.refilled.elapsed().as_secs_f64()).min(self.most);
        self.refilled = Instant::now();
    }
}

/// A number from 0 to 1; where the system gives none, servers are not spread.
fn share() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}
