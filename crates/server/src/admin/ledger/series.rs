//! Counts over time.

use std::time::Duration;

use super::OUTCOMES;

/// Slots of a span.
const SLOTS: usize = 120;

/// Slots that are shown of one that has only begun.
pub(super) const LEAST_SLOTS: usize = 20;

/// How far a series looks back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    /// In slots of 30 s.
    #[default]
    Hour,
    /// In slots of 12 min.
    Day,
}

impl Span {
    pub(crate) fn slot(self) -> Duration {
        match self {
            Span::Hour => Duration::from_secs(30),
            Span::Day => Duration::from_secs(12 * 60),
        }
    }
}

/// Both spans. Counts are added to the slot of 30 s that is open, and from there to the spans once it is over.
#[derive(Clone, Debug)]
pub(super) struct History {
    hour: Series,
    day: Series,
    open: Slot,
    /// When the open slot was first written to, and when it is over.
    since: Duration,
    until: Duration,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            hour: Series::new(Span::Hour),
            day: Series::new(Span::Day),
            open: Slot::default(),
            since: Duration::ZERO,
            until: Duration::ZERO,
        }
    }

    /// The counts of the slot of `now`, which is time since the start. O(1).
    pub(super) fn at(&mut self, now: Duration) -> &mut Slot {
        if now >= self.until {
            self.close();
            let slot = Span::Hour.slot();
            self.since = now;
            self.until = slot * u32::try_from(now.as_secs() / slot.as_secs() + 1).unwrap_or(u32::MAX);
        }
        &mut self.open
    }

    /// The slots of a span up to `now`, as [`Series::since_start`] gives them.
    pub(super) fn since_start(&mut self, span: Span, now: Duration) -> Vec<Slot> {
        self.close();
        match span {
            Span::Hour => self.hour.since_start(now),
            Span::Day => self.day.since_start(now),
        }
    }

    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.hour.add(self.since, &open);
        self.day.add(self.since, &open);
    }
}

/// Counts of one slot of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) views: u32,
    pub(crate) held_out: u32,
    pub(crate) promised: u32,
    pub(crate) hinted: u32,
    pub(crate) linked: u32,
    pub(crate) held: u32,
    /// In the order of [`OUTCOMES`].
    pub(crate) pushes: [u32; OUTCOMES.len()],
    pub(crate) pushed_bytes: u64,
    pub(crate) wasted_bytes: u64,
}

/// The slots of one span.
#[derive(Clone, Debug)]
struct Series {
    slot: Duration,
    slots: Vec<Slot>,
    /// The number of the latest slot since the start.
    latest: u64,
}

impl Series {
    fn new(span: Span) -> Self {
        Self { slot: span.slot(), slots: vec![Slot::default(); SLOTS], latest: 0 }
    }

    /// Adds to the slot of `now`, which is time since the start.
    fn add(&mut self, now: Duration, what: &Slot) {
        self.turn_to(now);
        let at = (self.latest % SLOTS as u64) as usize;
        if let Some(slot) = self.slots.get_mut(at) {
            slot.add(what);
        }
    }

    /// The slots up to `now`, the oldest first.
    fn slots(&mut self, now: Duration) -> Vec<Slot> {
        self.turn_to(now);
        let next = ((self.latest + 1) % SLOTS as u64) as usize;
        let (newer, older) = self.slots.split_at(next);
        [older, newer].concat()
    }

    /// The same without those before the start, as far as there are enough of them.
    fn since_start(&mut self, now: Duration) -> Vec<Slot> {
        let slots = self.slots(now);
        let passed = usize::try_from(self.latest + 1).unwrap_or(SLOTS).clamp(LEAST_SLOTS, SLOTS);
        slots.get(SLOTS - passed..).unwrap_or_default().to_vec()
    }

    /// Empties the slots that have come round since the last time.
    fn turn_to(&mut self, now: Duration) {
        let number = (now.as_secs_f64() / self.slot.as_secs_f64()) as u64;
        let passed = number.saturating_sub(self.latest).min(SLOTS as u64);
        for number in number - passed + 1..=number {
            if let Some(slot) = self.slots.get_mut((number % SLOTS as u64) as usize) {
                *slot = Slot::default();
            }
        }
        self.latest = self.latest.max(number);
    }
}

impl Slot {
    fn add(&mut self, other: &Slot) {
        self.views = self.views.saturating_add(other.views);
        self.held_out = self.held_out.saturating_add(other.held_out);
        self.promised = self.promised.saturating_add(other.promised);
        self.hinted = self.hinted.saturating_add(other.hinted);
        self.linked = self.linked.saturating_add(other.linked);
        self.held = self.held.saturating_add(other.held);
        for (mine, more) in self.pushes.iter_mut().zip(other.pushes) {
            *mine = mine.saturating_add(more);
        }
        self.pushed_bytes = self.pushed_bytes.saturating_add(other.pushed_bytes);
        self.wasted_bytes = self.wasted_bytes.saturating_add(other.wasted_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(series: &mut Series, seconds: u64) -> Vec<u32> {
        series.slots(Duration::from_secs(seconds)).iter().map(|slot| slot.views).collect()
    }

    #[test]
    fn slots_move_on_and_are_emptied() {
        let mut series = Series::new(Span::Hour);
        let view = Slot { views: 1, ..Slot::default() };
        series.add(Duration::from_secs(0), &view);
        series.add(Duration::from_secs(29), &view);
        series.add(Duration::from_secs(30), &view);
        assert_eq!(views(&mut series, 59)[SLOTS - 2..], [2, 1]);
        assert_eq!(views(&mut series, 61)[SLOTS - 3..], [2, 1, 0]);
        assert_eq!(views(&mut series, 30 * 119)[..2], [2, 1], "at the far end");
        assert_eq!(views(&mut series, 30 * 120)[..2], [1, 0], "and out");
        series.add(Duration::from_secs(1_000_000), &view);
        assert_eq!(views(&mut series, 1_000_000).iter().sum::<u32>(), 1, "a long silence empties all");
    }

    #[test]
    fn both_spans_hold_what_was_counted() {
        let mut history = History::new();
        let seconds = [0, 29, 30, 31, 719, 720, 715, 1500];
        for (at, second) in seconds.into_iter().enumerate() {
            history.at(Duration::from_secs(second)).views += 1;
            if at % 2 == 0 {
                history.since_start(Span::Day, Duration::from_secs(second));
            }
        }
        let now = Duration::from_secs(1500);
        let views = |slots: Vec<Slot>| slots.iter().map(|slot| slot.views).collect::<Vec<_>>();
        // The view of second 715 was told after that of second 720.
        let day = views(history.since_start(Span::Day, now));
        assert_eq!(day[LEAST_SLOTS - 3..], [5, 2, 1]);
        let hour = views(history.since_start(Span::Hour, now));
        let slots = 1500 / 30 + 1;
        assert_eq!((hour.len(), hour[..2].to_vec(), hour[23..25].to_vec()), (slots, vec![2, 2], vec![1, 2]));
        assert_eq!((hour[slots - 1], hour.iter().sum::<u32>()), (1, seconds.len() as u32));
    }

    #[test]
    fn a_young_series_is_short() {
        let mut series = Series::new(Span::Hour);
        let mut length = |seconds| series.since_start(Duration::from_secs(seconds)).len();
        assert_eq!((length(0), length(30 * 19), length(30 * 20)), (LEAST_SLOTS, LEAST_SLOTS, LEAST_SLOTS + 1));
        assert_eq!((length(30 * 119), length(1_000_000)), (SLOTS, SLOTS));
    }

    #[test]
    fn time_never_runs_back() {
        let mut series = Series::new(Span::Hour);
        let view = Slot { views: 1, ..Slot::default() };
        series.add(Duration::from_secs(90), &view);
        // Two connections, whose clocks were read before they took the lock.
        series.add(Duration::from_secs(59), &view);
        assert_eq!(views(&mut series, 90).last(), Some(&2));
    }
}
