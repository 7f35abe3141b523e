//! The present view of a connection and the times at which its assets were sent, from which a [`VisitReport`] is made.
//! Kept only while there is an observer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use headstart_learn::Draw;

use crate::event::{Arrival, VisitReport, VisitedAsset};
use crate::item::Push;
use crate::request::Referer;
use crate::view::{Decision, Outlet};

/// Most assets of one view that are timed.
const MAX_ASSETS: usize = 128;
/// A page that has asked for nothing for so long after the last byte of its assets has loaded.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Times one view at a time: a connection's next navigation ends the one before.
#[derive(Default)]
pub(crate) struct Stopwatch {
    view: Option<Box<View>>,
    views: u64,
}

struct View {
    /// Which of the connection's views this is.
    number: u64,
    began: Instant,
    window: Duration,
    /// The path of the page.
    page: Arc<str>,
    /// Once the page was shown.
    shown: Option<Shown>,
    assets: Vec<VisitedAsset>,
}

/// What was decided for a page that was shown.
pub(crate) struct Shown {
    authority: Arc<str>,
    page: Arc<str>,
    outlet: Outlet,
    draw: Draw,
    head: Duration,
    planned: Vec<(Arc<str>, Decision)>,
}

impl Shown {
    /// `page` is the page's name for observers; `planned` are the assets of the view, with the decision on each.
    pub(crate) fn new(
        authority: &Arc<str>,
        page: &Arc<str>,
        outlet: Outlet,
        draw: Draw,
        planned: Vec<(Arc<str>, Decision)>,
    ) -> Self {
        Shown { authority: Arc::clone(authority), page: Arc::clone(page), outlet, draw, head: Duration::ZERO, planned }
    }
}

impl Stopwatch {
    /// A navigation has arrived. Returns its number, and the report of the view that it ends.
    pub(crate) fn navigate(&mut self, page: &Arc<str>, window: Duration, now: Instant) -> (u64, Option<VisitReport>) {
        let report = self.finish();
        self.views += 1;
        let page = Arc::clone(page);
        let view = View { number: self.views, began: now, window, page, shown: None, assets: Vec::new() };
        self.view = Some(Box::new(view));
        (self.views, report)
    }

    /// An asset is pushed, with its page's head or before it.
    pub(crate) fn pushed(&mut self, push: &Push, now: Instant) {
        if let Some(view) = self.view.as_mut().filter(|view| view.number == push.view) {
            let start = now.saturating_duration_since(view.began);
            let bytes = push.bytes.load(Ordering::Relaxed);
            view.add(VisitedAsset { path: Arc::clone(&push.asset), start, end: None, bytes, how: Arrival::Pushed });
        }
    }

    /// The head of a page goes out, which was the view of this number.
    pub(crate) fn shown(&mut self, number: u64, shown: Shown, now: Instant) {
        if let Some(view) = self.view.as_mut().filter(|view| view.number == number) {
            view.shown = Some(Shown { head: now.saturating_duration_since(view.began), ..shown });
        }
    }

    /// An asset is asked for. Returns the view it counts to.
    pub(crate) fn asked(&mut self, path: &Arc<str>, referer: &Referer, now: Instant) -> Option<u64> {
        let view = self.view.as_mut()?;
        let start = now.saturating_duration_since(view.began);
        if start > view.window || !view.refers(referer) {
            return None;
        }
        view.add(VisitedAsset { path: Arc::clone(path), start, end: None, bytes: 0, how: Arrival::Fetched });
        Some(view.number)
    }

    /// An asset of a view was sent whole.
    pub(crate) fn sent(&mut self, number: u64, path: &str, bytes: u64, now: Instant) {
        if let Some(view) = self.view.as_mut().filter(|view| view.number == number)
            && let Some(asset) = view.assets.iter_mut().find(|asset| *asset.path == *path)
            && asset.end.is_none()
        {
            asset.end = Some(now.saturating_duration_since(view.began));
            asset.bytes = asset.bytes.max(bytes);
        }
    }

    /// Ends the present view.
    pub(crate) fn finish(&mut self) -> Option<VisitReport> {
        self.view.take()?.report()
    }
}

impl View {
    /// Whether an asset with this Referer is one of the page or of what it loaded.
    fn refers(&self, referer: &Referer) -> bool {
        match referer {
            Referer::Absent => true,
            Referer::Foreign => false,
            Referer::Path(path) => {
                let bare = path.split('?').next().unwrap_or_default();
                // The origin alone looks like the page `/` (`Referrer-Policy: strict-origin`).
                *self.page == *bare || path == "/" || self.assets.iter().any(|asset| *asset.path == **path)
            }
        }
    }

    fn add(&mut self, asset: VisitedAsset) {
        if self.assets.len() < MAX_ASSETS && self.assets.iter().all(|known| known.path != asset.path) {
            self.assets.push(asset);
        }
    }

    /// `None` if no page was shown.
    fn report(self) -> Option<VisitReport> {
        let View { number, shown, mut assets, .. } = self;
        let Shown { authority, page, outlet, draw, head, planned } = shown?;
        let decision = |path: &str| planned.iter().find(|(known, _)| **known == *path).map(|(_, decision)| *decision);
        assets.sort_by_key(|asset| asset.start);
        let (mut complete, mut cut_off, mut last) = (None, false, head);
        for asset in &mut assets {
            // What comes after the page has fallen silent is asked for by a click or on scrolling.
            if asset.start > last + SILENCE {
                break;
            }
            last = last.max(asset.end.unwrap_or(asset.start));
            let Some(decision) = decision(&asset.path) else { continue };
            if asset.how == Arrival::Fetched && matches!(decision, Decision::Hinted | Decision::Linked) {
                asset.how = Arrival::Hinted;
            }
            complete = complete.max(asset.end);
            cut_off |= asset.end.is_none();
        }
        let warm = planned.iter().any(|(_, decision)| *decision == Decision::Held);
        let Draw { chance, held_out } = draw;
        Some(VisitReport {
            authority,
            page,
            outlet,
            held_out,
            holdout_probability: chance,
            first: number == 1,
            warm,
            head,
            complete,
            cut_off,
            assets,
        })
    }
}
