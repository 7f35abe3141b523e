//! How often a client may send what costs it next to nothing.
//!
//! Frames that carry no content (PING, SETTINGS, PRIORITY, PRIORITY_UPDATE, WINDOW_UPDATE, RST_STREAM, GOAWAY, empty
//! DATA, unknown ones) and streams that are opened only to be reset. `h2` answers or ignores each, however many come
//! (CVE-2019-9512, -9513, -9515, -9518; CVE-2023-44487).

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Config;
use crate::frames::{self, Event};

/// The time in which a client may send [`Config::max_control_frames`] and make [`Config::max_resets`].
pub(crate) const WINDOW: Duration = Duration::from_secs(10);

/// A client answers DATA with WINDOW_UPDATE, for the stream and the connection, some with a PING to measure the
/// line: one such frame for so many bytes that it was sent is free. Go's client, the busiest known, sends two for
/// each 4 KiB.
const BYTES_A_FRAME: u64 = 512;

/// Free frames that are kept for later: those of 32 MiB on their way to the client.
const MAX_FREE: u64 = 64 << 10;

/// The tap's part: counts, and knows when to read no further. Written and read by the connection's task alone.
#[derive(Debug)]
pub(crate) struct Meter {
    control: AtomicU64,
    /// The value of `control` from which the tap reads no further until the driver has looked.
    allowed: AtomicU64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Meter { control: AtomicU64::new(0), allowed: AtomicU64::new(u64::MAX) }
    }

    /// Counts a frame of the client if it is one of those that carry nothing.
    pub(crate) fn inbound(&self, event: Event) {
        let Event::Frame { kind, flags, length, .. } = event else { return };
        let counts = match kind {
            // The end of an upload is often a frame of its own.
            frames::DATA => length == 0 && flags & frames::END_STREAM == 0,
            frames::HEADERS | frames::CONTINUATION => false,
            _ => true,
        };
        if counts {
            self.control.store(self.control.load(Relaxed).saturating_add(1), Relaxed);
        }
    }

    /// Whether so many have come that no more is read: the driver ends the connection, or allows more.
    pub(crate) fn is_over(&self) -> bool {
        self.control.load(Relaxed) > self.allowed.load(Relaxed)
    }
}

/// The driver's part: who sends too much, over time.
#[derive(Debug)]
pub(crate) struct Floods {
    control: Rate,
    resets: Rate,
    /// Control frames and DATA bytes looked at so far.
    control_seen: u64,
    data_seen: u64,
    free: u64,
    /// Nothing is counted against the client any more, and the tap knows.
    settled: bool,
}

impl Floods {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Floods {
            control: Rate::new(config.max_control_frames, now),
            resets: Rate::new(config.max_resets, now),
            control_seen: 0,
            data_seen: 0,
            free: 0,
            settled: false,
        }
    }

    /// Takes in what the tap has counted since the last time and says how much more it may. `false` if it was too
    /// much.
    pub(crate) fn observe(&mut self, meter: &Meter, data_written: u64, now: Instant) -> bool {
        let control = meter.control.load(Relaxed);
        let frames = control.saturating_sub(self.control_seen);
        let earned = data_written.saturating_sub(self.data_seen) / BYTES_A_FRAME;
        if frames == 0 && earned == 0 && self.settled {
            return true;
        }
        self.control_seen = control;
        self.data_seen += earned * BYTES_A_FRAME;
        self.free = (self.free + earned).min(MAX_FREE);
        let free = self.free.min(frames);
        self.free -= free;
        let within = self.control.take(frames - free, now);
        self.settled = self.control.settled <= now;
        meter.allowed.store(control.saturating_add(self.free).saturating_add(self.control.left(now)), Relaxed);
        within
    }

    /// A stream that work was done for has come to nothing by the client's doing. `false` if it was one too many.
    pub(crate) fn reset(&mut self, now: Instant) -> bool {
        self.resets.take(1, now)
    }
}

/// So many in [`WINDOW`]; all at once, too. (The generic cell rate algorithm: one instant says it all.)
#[derive(Debug)]
struct Rate {
    /// The cost of one of them.
    each: Duration,
    /// When all that was taken is forgotten.
    settled: Instant,
}

impl Rate {
    fn new(max: u32, now: Instant) -> Self {
        // One in the whole window at least; 0 would let nobody in, for every connection begins with SETTINGS.
        Rate { each: WINDOW / max.max(1), settled: now }
    }

    fn take(&mut self, count: u64, now: Instant) -> bool {
        if count == 0 {
            return true;
        }
        let cost = self.each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        let Some(settled) = self.settled.max(now).checked_add(cost) else {
            return false;
        };
        self.settled = settled;
        settled.saturating_duration_since(now) <= WINDOW
    }

    /// How many more are allowed now.
    fn left(&self, now: Instant) -> u64 {
        let used = self.settled.saturating_duration_since(now);
        let left = WINDOW.saturating_sub(used).as_nanos() / self.each.as_nanos().max(1);
        u64::try_from(left).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_allows_its_number_at_once_and_again_with_time() {
        let began = Instant::now();
        let mut rate = Rate::new(10, began);
        assert_eq!(rate.left(began), 10);
        assert!(rate.take(10, began) && rate.left(began) == 0);
        let later = began + Duration::from_secs(3);
        assert_eq!(rate.left(later), 3);
        assert!(rate.take(3, later));
        assert!(!rate.take(1, later));
        assert!(rate.take(10, later + 2 * WINDOW));
        assert!(!Rate::new(0, began).take(2, began));
        assert!(!Rate::new(1000, began).take(u64::MAX, began));
    }

    #[test]
    fn what_is_sent_pays_for_frames() {
        let now = Instant::now();
        let config = Config { max_control_frames: 10, ..Config::default() };
        let (meter, mut floods) = (Meter::new(), Floods::new(&config, now));
        let ping = Event::Frame { kind: frames::SETTINGS, flags: 0, stream: 0, length: 0 };
        assert!(floods.observe(&meter, 5 * BYTES_A_FRAME + 1, now));
        (0..15).for_each(|_| meter.inbound(ping));
        assert!(!meter.is_over() && floods.observe(&meter, 5 * BYTES_A_FRAME + 1, now));
        meter.inbound(ping);
        assert!(meter.is_over() && !floods.observe(&meter, 6 * BYTES_A_FRAME - 1, now));
        // Bytes sent long ago stop counting for the client.
        let mut floods = Floods::new(&config, now);
        let meter = Meter::new();
        assert!(floods.observe(&meter, u64::MAX, now));
        (0..MAX_FREE + 11).for_each(|_| meter.inbound(ping));
        assert!(meter.is_over() && !floods.observe(&meter, u64::MAX, now));
    }
}
