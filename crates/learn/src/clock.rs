//! The learner's own time, which never runs back and never leaps.

use crate::time::Time;

/// Milliseconds of learner's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(pub(crate) u64);

/// Callers on several threads pass times that are slightly out of order; only a
/// step back of more than this is the clock being set.
const TOLERANCE: u64 = 10_000;

/// Turns the caller's time into ticks, which are that time unless the clock was set.
///
/// Time that runs back stands still. A leap forward counts as `max_step`, after
/// which everything learned weighs nothing anyway; so a clock that was ten years
/// ahead for a moment does no more harm than that.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Option<Time>,
    tick: Tick,
    max_step: u64,
}

impl Clock {
    pub(crate) fn new(max_step: u64) -> Self {
        Self { last: None, tick: Tick(0), max_step }
    }

    /// A clock that stood at `tick` when the caller's time was `last`.
    pub(crate) fn starting(last: Time, tick: Tick, max_step: u64) -> Self {
        Self { last: Some(last), tick, max_step }
    }

    /// The tick at `now`.
    pub(crate) fn tick(&mut self, now: Time) -> Tick {
        let last = *self.last.get_or_insert_with(|| {
            self.tick = Tick(now.as_millis());
            now
        });
        let elapsed = now.as_millis().saturating_sub(last.as_millis());
        let behind = last.as_millis().saturating_sub(now.as_millis());
        if elapsed > 0 {
            self.tick.0 = self.tick.0.saturating_add(elapsed.min(self.max_step));
            self.last = Some(now);
        } else if behind > TOLERANCE {
            self.last = Some(now);
        }
        self.tick
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn back_an_hour_stands_still_and_then_goes_on() {
        let mut clock = Clock::new(64 * 24 * HOUR);
        let start = 1_700_000_000_000;
        assert_eq!(clock.tick(Time::from_millis(start)), Tick(start));
        assert_eq!(clock.tick(Time::from_millis(start + 5)), Tick(start + 5));
        assert_eq!(clock.tick(Time::from_millis(start + 4)), Tick(start + 5));
        assert_eq!(clock.tick(Time::from_millis(start - HOUR)), Tick(start + 5));
        assert_eq!(clock.tick(Time::from_millis(start - HOUR + 2)), Tick(start + 7));
    }

    #[test]
    fn forward_ten_years_is_bounded_and_undone() {
        let mut clock = Clock::new(64 * 24 * HOUR);
        let year = 365 * 24 * HOUR;
        clock.tick(Time::from_millis(0));
        assert_eq!(clock.tick(Time::from_millis(10 * year)), Tick(64 * 24 * HOUR));
        clock.tick(Time::from_millis(1));
        assert_eq!(clock.tick(Time::from_millis(2)), Tick(64 * 24 * HOUR + 1));
        assert!(clock.tick(Time::from_millis(u64::MAX)) > Tick(64 * 24 * HOUR));
    }
}
