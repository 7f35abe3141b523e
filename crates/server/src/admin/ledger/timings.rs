//! When each asset of a page came, with help and without.

use std::time::Duration;

use headstart::VisitReport;

use super::ring::Ring;

/// Views of each kind that are kept.
const VIEWS: usize = 15;
/// Once there are so many, a view is kept if so long has passed since the latest that was.
const EVERY: Duration = Duration::from_secs(10);
/// Assets of a view that are kept, in order of their start.
const ASSETS: usize = 24;

/// The latest views of one page, of both kinds.
#[derive(Clone, Debug)]
pub(crate) struct Timings {
    with: Latest,
    without: Latest,
}

impl Default for Timings {
    fn default() -> Self {
        let none = || Latest { views: Ring::new(VIEWS), at: Duration::ZERO };
        Self { with: none(), without: none() }
    }
}

/// Views of one kind.
#[derive(Clone, Debug)]
struct Latest {
    views: Ring<View>,
    /// When the latest was added, since the start.
    at: Duration,
}

/// Times in microseconds from the navigation.
#[derive(Clone, Debug)]
struct View {
    head: u32,
    assets: Box<[Timing]>,
}

#[derive(Clone, Copy, Debug)]
struct Timing {
    /// The lower half of the asset's key.
    asset: u32,
    start: u32,
    end: u32,
}

/// The median of one asset's, or the page's own, times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bar {
    pub(crate) start: Duration,
    pub(crate) end: Duration,
    /// Views that it is from.
    pub(crate) views: usize,
}

impl Timings {
    #[cfg(test)]
    pub(super) const HEAP_BYTES: usize = 2 * VIEWS * (size_of::<View>() + ASSETS * size_of::<Timing>());

    /// Adds a view that is over at `now`, if one is due: the views of a busy page are like each other, and each costs a
    /// hash and an entry for each of its assets.
    pub(super) fn add(&mut self, visit: &VisitReport, now: Duration, key: impl Fn(&str) -> u64) {
        let latest = if visit.held_out { &mut self.without } else { &mut self.with };
        if !latest.is_due(now) {
            return;
        }
        let timing = |asset: &headstart::VisitedAsset| {
            Some(Timing { asset: key(&asset.path) as u32, start: micros(asset.start), end: micros(asset.end?) })
        };
        let assets = visit.assets.iter().filter_map(timing).take(ASSETS).collect();
        latest.views.push(View { head: micros(visit.head), assets });
        latest.at = now;
    }

    /// When the page's own head was there.
    pub(crate) fn head(&self, held_out: bool) -> Option<Bar> {
        let heads: Vec<_> = self.views(held_out).iter().map(|view| (0, view.head)).collect();
        bar(&heads)
    }

    /// When an asset was asked for, or promised, and when it was there.
    pub(crate) fn asset(&self, held_out: bool, key: u64) -> Option<Bar> {
        let assets = self.views(held_out).iter().flat_map(|view| &view.assets);
        let times: Vec<_> =
            assets.filter(|timing| timing.asset == key as u32).map(|timing| (timing.start, timing.end)).collect();
        bar(&times)
    }

    fn views(&self, held_out: bool) -> &[View] {
        if held_out { self.without.views.values() } else { self.with.views.values() }
    }
}

impl Latest {
    fn is_due(&self, now: Duration) -> bool {
        self.views.values().len() < VIEWS || now.saturating_sub(self.at) >= EVERY
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

fn bar(times: &[(u32, u32)]) -> Option<Bar> {
    let median = |mut values: Vec<u32>| {
        let middle = values.len() / 2;
        (!values.is_empty()).then(|| *values.select_nth_unstable(middle).1)
    };
    let start = median(times.iter().map(|(start, _)| *start).collect())?;
    let end = median(times.iter().map(|(_, end)| *end).collect())?;
    let duration = |micros: u32| Duration::from_micros(u64::from(micros));
    Some(Bar { start: duration(start), end: duration(end.max(start)), views: times.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_busy_page_a_view_in_ten_seconds_is_kept_once_there_are_enough() {
        let mut latest = Latest { views: Ring::new(VIEWS), at: Duration::ZERO };
        let kept: Vec<u64> = (0..60)
            .filter(|second| {
                let now = Duration::from_secs(*second);
                let due = latest.is_due(now);
                if due {
                    latest.views.push(View { head: 0, assets: Box::default() });
                    latest.at = now;
                }
                due
            })
            .collect();
        let first = VIEWS as u64;
        assert_eq!(kept, (0..first).chain([first + 9, first + 19, first + 29, first + 39]).collect::<Vec<_>>());
        assert!(!latest.is_due(Duration::ZERO), "a clock that was read earlier makes none due");
    }

    #[test]
    fn a_bar_is_the_median_of_its_views() {
        let bar = bar(&[(1, 10), (3, 30), (2, 2000)]).unwrap();
        assert_eq!((bar.start.as_micros(), bar.end.as_micros(), bar.views), (2, 30, 3));
        assert_eq!(super::bar(&[]), None);
    }
}
