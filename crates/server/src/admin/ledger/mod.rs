//! Sums of the engine's events, within fixed bounds.
//!
//! Nothing here has a name: pages and assets are keyed hashes, with a key of this deployment. Names come from the learner when
//! something is shown, and it gives none that has not passed the network gate.
//!
//! Bounds: 1,024 pages (the lightest gives way, and its figures go to those of all that did), 64 assets a page, the views of
//! `timings`, a sketch of the times of each outlet and arm of a page, a filter of the day's clients, 2 rings of 120 time
//! slots. The figures of the gain take less than 20 MiB, all together less than 36 MiB, which the tests add up.

mod account;
mod browser;
mod clients;
mod figures;
mod pages;
mod ring;
mod saved;
mod series;
mod shared;
mod timings;

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use headstart::{Decision, Event, PageView, PushOutcome, PushReport, VisitReport};

use siphasher::sip::SipHasher13;

pub(crate) use self::account::Account;
pub(crate) use self::browser::{BrowserFigures, METRICS};
use self::clients::Clients;
use self::figures::Closed;
pub(crate) use self::figures::{Figures, Stratum};
use self::pages::PageTable;
pub(crate) use self::pages::{AssetCounts, PageRecord, PageSummary};
pub(crate) use self::saved::Saved;
pub(crate) use self::series::{Series, Slot, Span};
pub(crate) use self::timings::Bar;

/// Takes in events on the connections' tasks: a lock, and a look-up for each asset.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The key of the hashes of pages and assets.
    key: [u8; 16],
    began: Instant,
    /// How long the figures had been gathered when this process began.
    age: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    totals: Totals,
    hour: Series,
    day: Series,
    pages: PageTable,
    all_pages: Figures,
    /// Of views while hold-outs got help like others.
    aa: Figures,
    /// Reports of browsers on views.
    browser: BrowserFigures,
    clients: Clients,
    /// What the servers of a fleet add up.
    shared: shared::Shared,
    /// Events that changed what is saved.
    changes: u64,
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

/// Pages recorded; the lightest gives way to a new one.
const MAX_PAGES: usize = 1024;

/// The outcomes in the order of [`Totals::pushes`].
pub(crate) const OUTCOMES: [PushOutcome; 4] =
    [PushOutcome::Finished, PushOutcome::Cancelled, PushOutcome::Failed, PushOutcome::Unfinished];

fn outcome_index(outcome: PushOutcome) -> usize {
    OUTCOMES.iter().position(|known| *known == outcome).unwrap_or(OUTCOMES.len() - 1)
}

impl Ledger {
    /// A ledger that goes on with figures that were saved, if any were.
    pub(crate) fn new(saved: Option<Saved>) -> Self {
        let saved = saved.unwrap_or_else(|| Saved { key: random_key(), ..Saved::default() });
        let Saved { key, age, all_pages, aa, others, browser, pages } = saved;
        let state = State {
            totals: Totals::default(),
            hour: Series::new(Span::Hour),
            day: Series::new(Span::Day),
            pages: PageTable::restore(pages, others, Duration::ZERO),
            all_pages,
            aa,
            browser,
            clients: Clients::new(),
            shared: shared::Shared::default(),
            changes: 0,
        };
        Self { key, began: Instant::now(), age, state: Mutex::new(state) }
    }

    /// The part that is saved.
    pub(crate) fn save(&self) -> Saved {
        let uptime = self.began.elapsed();
        let state = self.lock();
        Saved {
            key: self.key,
            age: self.age + uptime,
            all_pages: state.all_pages.clone(),
            aa: state.aa.clone(),
            others: state.pages.others.clone(),
            browser: state.browser.clone(),
            pages: state.pages.save(uptime),
        }
    }

    /// How often what is to be saved has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// How long the figures have been gathered, in this process and before.
    pub(crate) fn age(&self) -> Duration {
        self.age + self.began.elapsed()
    }

    /// Takes in an event.
    pub(crate) fn record(&self, event: &Event) {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.record_at(event, self.began.elapsed(), since_1970.as_secs() / 86_400);
    }

    /// `now` counts from the start; `day` from 1970.
    fn record_at(&self, event: &Event, now: Duration, day: u64) {
        match event {
            Event::View(view) => self.view(view, now),
            Event::Push(push) => self.push(push, now),
            Event::Visit(visit) => self.visit(visit, now, day),
            Event::Beacon(report) => {
                let mut state = self.lock();
                state.changes += 1;
                state.browser.add(report, self.age + now);
                state.shared.report(report);
            }
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

    /// All pages together, while hold-outs got help like others.
    pub(crate) fn aa(&self) -> Figures {
        self.lock().aa.clone()
    }

    /// Reports of browsers.
    pub(crate) fn browser(&self) -> BrowserFigures {
        self.lock().browser.clone()
    }

    /// All pages together of which there are no records of their own any more.
    pub(crate) fn other_pages(&self) -> Figures {
        self.lock().pages.others.clone()
    }

    /// The figures of the pages that may be named; those of all others are added to `unnamed`.
    pub(crate) fn named<'p>(
        &self,
        pages: impl Iterator<Item = (&'p str, &'p str)>,
        unnamed: &mut Figures,
    ) -> Vec<((&'p str, &'p str), Figures)> {
        let pages: Vec<_> =
            pages.map(|(authority, path)| (self.page_key(authority, path), (authority, path))).collect();
        let state = self.lock();
        let figures = |(key, name): &(u64, _)| Some((*name, state.pages.get(*key)?.figures.clone()));
        let found = pages.iter().filter_map(figures).collect();
        let keys: HashSet<u64> = pages.iter().map(|(key, _)| *key).collect();
        state.pages.others_than(&keys).for_each(|figures| unnamed.merge(figures));
        found
    }

    /// The figures of a page.
    pub(crate) fn figures(&self, authority: &str, path: &str) -> Option<Figures> {
        let key = self.page_key(authority, path);
        self.lock().pages.get(key).map(|page| page.figures.clone())
    }

    /// The record of a page.
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
        self.hash(path.as_bytes(), &[])
    }

    fn page_key(&self, authority: &str, path: &str) -> u64 {
        self.hash(authority.as_bytes(), path.as_bytes())
    }

    fn hash(&self, first: &[u8], second: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_usize(first.len());
        hasher.write(first);
        hasher.write(second);
        hasher.finish()
    }

    fn view(&self, view: &PageView, now: Duration) {
        let key = self.page_key(&view.authority, &view.page);
        let mut state = self.lock();
        state.changes += 1;
        let figures = if view.aa { &mut state.aa } else { &mut state.all_pages };
        figures.shown(view.held_out);
        let page = state.pages.visit(key, now);
        if !view.aa {
            page.figures.shown(view.held_out);
        }
        let mut slot = Slot { views: 1, held_out: u32::from(view.held_out), ..Slot::default() };
        for asset in &view.assets {
            let counts = page.asset(self.asset_key(&asset.path));
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

    fn visit(&self, visit: &VisitReport, now: Duration, day: u64) {
        let key = self.page_key(&visit.authority, &visit.page);
        let (view, age) = (Closed::of(visit), self.age + now);
        let of_page = Closed { stratum: view.stratum.of_page(), ..view };
        // A client is counted once a day in each place that it is counted in.
        let client = |place: u64, view: &Closed| {
            self.hash(&visit.client.to_le_bytes(), &[place.to_le_bytes(), view.stratum.code().to_le_bytes()].concat())
        };
        let mut state = self.lock();
        state.changes += 1;
        state.totals.visits += 1;
        let first = state.clients.is_new(day, client(u64::from(visit.aa), &view));
        let figures = if visit.aa { &mut state.aa } else { &mut state.all_pages };
        figures.add(&view, first, age);
        state.shared.visit(&view, first, visit);
        if !visit.aa {
            let first = !visit.warm && state.clients.is_new(day, client(key, &of_page));
            // The page of a view may have given way meanwhile.
            let (page, others) = state.pages.page_or_others(key);
            match page {
                // One that holds some of the page needs less: a page's own figures are of those that held nothing.
                Some(page) if !visit.warm => {
                    page.figures.add(&of_page, first, age);
                    if matches!(view.fate, account::Fate::Timed(_)) {
                        page.timings.add(visit, |path| self.asset_key(path));
                    }
                }
                Some(page) => page.figures.returned(visit.held_out),
                None if !visit.warm => others.add(&of_page, first, age),
                None => others.returned(visit.held_out),
            }
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

/// Not to be guessed, so that nobody makes pages that share a hash.
fn random_key() -> [u8; 16] {
    let half = || RandomState::new().hash_one(0_u8).to_le_bytes();
    let mut key = [0; 16];
    key.iter_mut().zip(half().into_iter().chain(half())).for_each(|(own, random)| *own = random);
    key
}

#[cfg(test)]
mod tests;
