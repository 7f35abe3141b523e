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
use std::hash::{BuildHasher as _, RandomState};
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
use self::series::History;
pub(crate) use self::series::{Slot, Span};
pub(crate) use self::timings::Bar;

/// Takes in events on the connections' tasks: a lock, a keyed hash of the page, and a quick one of each asset of a view.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Hashes pages, with the key that is saved.
    pages: SipHasher13,
    key: [u8; 16],
    /// Hashes assets, which are counted within their page and for this process only.
    assets: foldhash::fast::RandomState,
    began: Instant,
    /// The same since 1970.
    began_at: Duration,
    /// How long the figures had been gathered when this process began.
    age: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    totals: Totals,
    history: History,
    /// When the latest view was shown, since the start.
    latest: Duration,
    pages: PageTable,
    all_pages: Figures,
    /// Of views while hold-outs got help like others.
    aa: Figures,
    /// Reports of browsers on views.
    browser: BrowserFigures,
    clients: Clients,
    /// Sums that the servers of a fleet share.
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
            history: History::new(),
            latest: Duration::ZERO,
            pages: PageTable::restore(pages, others, Duration::ZERO),
            all_pages,
            aa,
            browser,
            clients: Clients::new(),
            shared: shared::Shared::default(),
            changes: 0,
        };
        Self {
            pages: SipHasher13::new_with_key(&key),
            key,
            assets: foldhash::fast::RandomState::default(),
            began: Instant::now(),
            began_at: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            age,
            state: Mutex::new(state),
        }
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
        match event {
            Event::View(view) => self.view(view, self.began.elapsed()),
            Event::Push(push) => self.push(push, self.began.elapsed()),
            Event::Visit(visit) => self.visit(visit),
            Event::Beacon(report) => {
                let now = self.began.elapsed();
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
        self.lock().history.since_start(span, now)
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
        self.assets.hash_one(path)
    }

    fn page_key(&self, authority: &str, path: &str) -> u64 {
        let length = authority.len().to_ne_bytes();
        let parts = [&length[..], authority.as_bytes(), path.as_bytes()];
        // Hashing several pieces costs twice as much as joining them.
        let mut room = [0; 128];
        match joined(&mut room, parts) {
            Some(joined) => self.pages.hash(joined),
            None => self.pages.hash(&parts.concat()),
        }
    }

    fn view(&self, view: &PageView, now: Duration) {
        let key = self.page_key(&view.authority, &view.page);
        let mut state = self.lock();
        let State { all_pages, aa, pages, history, changes, latest, .. } = &mut *state;
        *changes += 1;
        *latest = now.max(*latest);
        let figures = if view.aa { aa } else { all_pages };
        figures.shown(view.held_out);
        let page = pages.visit(key, now);
        if !view.aa {
            page.figures.shown(view.held_out);
        }
        let slot = history.at(now);
        slot.views = slot.views.saturating_add(1);
        slot.held_out = slot.held_out.saturating_add(view.held_out.into());
        let mut place = 0;
        for asset in &view.assets {
            if !matches!(asset.decision, Decision::Held | Decision::Hinted | Decision::Linked | Decision::Pushed) {
                continue;
            }
            let counts = page.asset(place, self.asset_key(&asset.path));
            place += 1;
            let (of_page, of_slot) = match asset.decision {
                Decision::Held => (&mut counts.held, &mut slot.held),
                Decision::Hinted => (&mut counts.hinted, &mut slot.hinted),
                Decision::Linked => (&mut counts.linked, &mut slot.linked),
                _ => (&mut counts.pushed, &mut slot.promised),
            };
            *of_page = of_page.saturating_add(1);
            *of_slot = of_slot.saturating_add(1);
        }
    }

    fn push(&self, push: &PushReport, now: Duration) {
        let key = self.page_key(&push.authority, &push.page);
        let asset = self.asset_key(&push.asset);
        let index = outcome_index(push.outcome);
        let finished = push.outcome == PushOutcome::Finished;
        let (pushed, wasted) = if finished { (push.bytes, 0) } else { (0, push.bytes) };
        let mut state = self.lock();
        let State { totals, pages, history, .. } = &mut *state;
        if let Some(pushes) = totals.pushes.get_mut(index) {
            *pushes += 1;
        }
        totals.pushed_bytes = totals.pushed_bytes.saturating_add(pushed);
        totals.wasted_bytes = totals.wasted_bytes.saturating_add(wasted);
        if let Some(page) = pages.get_mut(key) {
            let counts = page.asset(0, asset);
            counts.pushed_bytes = counts.pushed_bytes.saturating_add(pushed);
            counts.wasted_bytes = counts.wasted_bytes.saturating_add(wasted);
            counts.wasted += u32::from(!finished);
        }
        let slot = history.at(now);
        if let Some(pushes) = slot.pushes.get_mut(index) {
            *pushes = pushes.saturating_add(1);
        }
        slot.pushed_bytes = slot.pushed_bytes.saturating_add(pushed);
        slot.wasted_bytes = slot.wasted_bytes.saturating_add(wasted);
    }

    /// A view is over. Its time is that of the latest view that was shown, which saves asking the clock.
    fn visit(&self, visit: &VisitReport) {
        let key = self.page_key(&visit.authority, &visit.page);
        let view = Closed::of(visit);
        let of_page = Closed { stratum: view.stratum.of_page(), ..view };
        // A client is counted once a day in each place that it is counted in. Its number and the page's key are keyed hashes.
        let client = |place: u64, view: &Closed| mixed(visit.client, mixed(place, view.stratum.code()));
        let mut state = self.lock();
        let now = state.latest;
        let (age, day) = (self.age + now, (self.began_at + now).as_secs() / 86_400);
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
                        page.timings.add(visit, now, |path| self.asset_key(path));
                    }
                }
                Some(page) => page.figures.returned(visit.held_out),
                None if !visit.warm => others.add(&of_page, first, age),
                None => others.returned(visit.held_out),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves counts that are short by one event.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parts one after another, if there is room for them.
fn joined<'r>(room: &'r mut [u8], parts: [&[u8]; 3]) -> Option<&'r [u8]> {
    let mut end = 0;
    for part in parts {
        room.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    room.get(..end)
}

/// Mixes two numbers that are hashes or differ by little into one whose bits all depend on both.
fn mixed(first: u64, second: u64) -> u64 {
    let product = u128::from(first ^ 0x9e37_79b9_7f4a_7c15) * u128::from(second ^ 0xd1b5_4a32_d192_ed03);
    (product >> 64) as u64 ^ product as u64
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
