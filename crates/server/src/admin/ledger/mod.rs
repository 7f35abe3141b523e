//! What the events of the engine add up to, within fixed bounds.
//!
//! Nothing here has a name: pages and assets are keyed hashes, with a key of this process. Names come from the learner when
//! something is shown, and it gives none that has not passed the network gate.
//!
//! Bounds: 1,024 pages (the lightest gives way), 64 assets a page, the views of `timings`, a sketch of the times of each
//! outlet and arm of a page, 2 rings of 120 time slots. Together less than 32 MiB, which [`tests`] adds up.

mod figures;
mod pages;
mod ring;
mod series;
mod timings;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headstart::{Decision, Event, PageView, PushOutcome, PushReport, VisitReport};

pub(crate) use self::figures::Figures;
use self::pages::PageTable;
pub(crate) use self::pages::{AssetCounts, PageRecord, PageSummary};
pub(crate) use self::series::{Series, Slot, Span};
pub(crate) use self::timings::Bar;

/// Takes in events on the connections' tasks: a lock, and a look-up for each asset.
#[derive(Debug)]
pub(crate) struct Ledger {
    hasher: RandomState,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    totals: Totals,
    hour: Series,
    day: Series,
    pages: PageTable,
    all_pages: Figures,
}

/// Sums since the start that the engine's own counters do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// By [`outcome_index`].
    pub(crate) pushes: [u64; 4],
    /// Bytes of pushes that were written whole.
    pub(crate) pushed_bytes: u64,
    /// Bytes of pushes that were cancelled or cut off: at most so many were for nothing.
    pub(crate) wasted_bytes: u64,
    /// Timed views that are closed.
    pub(crate) visits: u64,
}

/// The outcomes in the order of [`Totals::pushes`].
pub(crate) const OUTCOMES: [PushOutcome; 4] =
    [PushOutcome::Finished, PushOutcome::Cancelled, PushOutcome::Failed, PushOutcome::Unfinished];

fn outcome_index(outcome: PushOutcome) -> usize {
    OUTCOMES.iter().position(|known| *known == outcome).unwrap_or(OUTCOMES.len() - 1)
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let state = State {
            totals: Totals::default(),
            hour: Series::new(Span::Hour),
            day: Series::new(Span::Day),
            pages: PageTable::default(),
            all_pages: Figures::default(),
        };
        Self { hasher: RandomState::new(), began: Instant::now(), state: Mutex::new(state) }
    }

    /// Takes in an event.
    pub(crate) fn record(&self, event: &Event) {
        self.record_at(event, self.began.elapsed());
    }

    fn record_at(&self, event: &Event, now: Duration) {
        match event {
            Event::View(view) => self.view(view, now),
            Event::Push(push) => self.push(push, now),
            Event::Visit(visit) => self.visit(visit, now),
            _ => {}
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// The slots of a span since the start, the oldest first; the last is under way. They are
    /// [`LEAST_SLOTS`](series::LEAST_SLOTS) at least, the first ones before the start if it was that late.
    pub(crate) fn series(&self, span: Span) -> Vec<Slot> {
        let now = self.began.elapsed();
        let mut state = self.lock();
        let series = if span == Span::Hour { &mut state.hour } else { &mut state.day };
        series.since_start(now)
    }

    /// All pages together: with and without help.
    pub(crate) fn all_pages(&self) -> Figures {
        self.lock().all_pages.clone()
    }

    /// What is recorded of a page.
    pub(crate) fn page(&self, authority: &str, path: &str) -> Option<PageRecord> {
        let key = self.page_key(authority, path);
        self.lock().pages.get(key).cloned()
    }

    /// The sums of many pages, in their order.
    pub(crate) fn summaries<'p>(&self, pages: impl Iterator<Item = (&'p str, &'p str)>) -> Vec<PageSummary> {
        let keys: Vec<_> = pages.map(|(authority, path)| self.page_key(authority, path)).collect();
        let state = self.lock();
        keys.into_iter().map(|key| state.pages.get(key).map(PageRecord::summary).unwrap_or_default()).collect()
    }

    /// The key of an asset's entry in a [`PageRecord`].
    pub(crate) fn asset_key(&self, path: &str) -> u64 {
        self.hasher.hash_one(path)
    }

    fn page_key(&self, authority: &str, path: &str) -> u64 {
        self.hasher.hash_one((authority, path))
    }

    fn view(&self, view: &PageView, now: Duration) {
        let key = self.page_key(&view.authority, &view.page);
        let mut state = self.lock();
        let page = state.pages.visit(key, now);
        page.views += 1;
        page.held_out += u64::from(view.held_out);
        let mut slot = Slot { views: 1, held_out: u32::from(view.held_out), ..Slot::default() };
        for asset in &view.assets {
            let counts = page.asset(self.hasher.hash_one(&*asset.path));
            let (of_page, of_slot) = match asset.decision {
                Decision::Held => (&mut counts.held, &mut slot.held),
                Decision::Hinted => (&mut counts.hinted, &mut slot.hinted),
                Decision::Linked => (&mut counts.linked, &mut slot.linked),
                Decision::Pushed => (&mut counts.pushed, &mut slot.promised),
                _ => continue,
            };
            *of_page = of_page.saturating_add(1);
            *of_slot += 1;
        }
        state.add(now, &slot);
    }

    fn push(&self, push: &PushReport, now: Duration) {
        let key = self.page_key(&push.authority, &push.page);
        let asset = self.asset_key(&push.asset);
        let index = outcome_index(push.outcome);
        let mut slot = Slot::default();
        if let Some(pushes) = slot.pushes.get_mut(index) {
            *pushes = 1;
        }
        let bytes = if push.outcome == PushOutcome::Finished { &mut slot.pushed_bytes } else { &mut slot.wasted_bytes };
        *bytes = push.bytes;
        let mut state = self.lock();
        let totals = &mut state.totals;
        if let Some(pushes) = totals.pushes.get_mut(index) {
            *pushes += 1;
        }
        totals.pushed_bytes = totals.pushed_bytes.saturating_add(slot.pushed_bytes);
        totals.wasted_bytes = totals.wasted_bytes.saturating_add(slot.wasted_bytes);
        if let Some(page) = state.pages.get_mut(key) {
            let counts = page.asset(asset);
            counts.pushed_bytes = counts.pushed_bytes.saturating_add(slot.pushed_bytes);
            counts.wasted_bytes = counts.wasted_bytes.saturating_add(slot.wasted_bytes);
            counts.wasted += u32::from(push.outcome != PushOutcome::Finished);
        }
        state.add(now, &slot);
    }

    fn visit(&self, visit: &VisitReport, now: Duration) {
        let key = self.page_key(&visit.authority, &visit.page);
        let mut state = self.lock();
        state.totals.visits += 1;
        // A client that left before the end says nothing of how long it takes.
        let Some(complete) = visit.complete.filter(|_| !visit.cut_off) else { return };
        state.all_pages.add(visit, complete, now);
        // One that holds some of the page needs less: a page's own figures are of those that held nothing.
        if let Some(page) = state.pages.get_mut(key).filter(|_| !visit.warm) {
            page.figures.add(visit, complete, now);
            page.timings.add(visit, |path| self.hasher.hash_one(path));
        }
        // Seen by itself at the next view at the latest.
        state.add(now, &Slot::default());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves counts that are short by one event.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, now: Duration, slot: &Slot) {
        self.hour.add(now, slot);
        self.day.add(now, slot);
    }
}

#[cfg(test)]
mod tests {
    use super::timings::Timings;
    use super::*;

    #[test]
    fn the_bounds_together_are_less_than_32_mib() {
        // Three outlets, two arms, each with all bins there are, ten bytes a bin.
        let figures = 3 * 2 * headstart_gain::BINS * 10;
        let page = size_of::<PageRecord>() + pages::HEAP_BYTES + figures + Timings::HEAP_BYTES;
        let all = pages::MAX_PAGES * page;
        assert!(all < 32 << 20, "{all} bytes, {page} a page");
    }
}
