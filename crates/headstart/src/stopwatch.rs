//! The present view of a connection, or of a client, and the times at which its assets were sent, from which a
//! [`VisitReport`] is made. Kept only while there is an observer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use headstart_learn::{ClientClass, Draw};

use crate::event::{Arrival, VisitReport, VisitedAsset};
use crate::item::Push;
use crate::request::Referer;
use crate::view::{Decision, Outlet};

/// How much of one view is timed, at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) assets: usize,
    /// Bytes of their paths together.
    pub(crate) path_bytes: usize,
}

impl Extent {
    /// Of a view that has a connection of its own.
    const OF_CONNECTION: Self = Extent { assets: 128, path_bytes: 64 << 10 };
}

/// A page that has asked for nothing for so long after the last byte of its assets has loaded.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Times one view at a time: the next navigation ends the one before.
pub(crate) struct Stopwatch {
    view: Option<Box<View>>,
    /// The number of the latest view.
    views: u64,
    extent: Extent,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self::new(0, Extent::OF_CONNECTION)
    }
}

struct View {
    /// Number of the view, among the connection's or among all clients'.
    number: u64,
    extent: Extent,
    path_bytes: usize,
    began: Instant,
    window: Duration,
    /// The path of the page.
    page: Arc<str>,
    /// Once the page was shown.
    shown: Option<Shown>,
    assets: Vec<VisitedAsset>,
}

/// Decisions for a page that was shown.
pub(crate) struct Shown {
    pub(crate) authority: Arc<str>,
    /// The page's name for observers.
    pub(crate) page: Arc<str>,
    pub(crate) outlet: Outlet,
    pub(crate) class: ClientClass,
    /// The client's number of the day.
    pub(crate) client: u64,
    pub(crate) draw: Draw,
    /// Hold-outs get help like others.
    pub(crate) aa: bool,
    /// When its head went out, after the navigation; set when it is shown.
    pub(crate) head: Duration,
    /// The assets of the view, with the decision on each.
    pub(crate) planned: Vec<(Arc<str>, Decision)>,
}

impl Stopwatch {
    /// A stopwatch whose first view has the number after this one.
    pub(crate) fn new(views: u64, extent: Extent) -> Self {
        Stopwatch { view: None, views, extent }
    }

    /// The number of the view that is open.
    pub(crate) fn number(&self) -> Option<u64> {
        self.view.as_ref().map(|view| view.number)
    }

    /// A navigation has arrived. Returns its number, and the report of the view that it ends.
    pub(crate) fn navigate(&mut self, page: &Arc<str>, window: Duration, now: Instant) -> (u64, Option<VisitReport>) {
        let report = self.finish();
        self.views += 1;
        let page = Arc::clone(page);
        let Stopwatch { views: number, extent, .. } = *self;
        let view = View { number, extent, path_bytes: 0, began: now, window, page, shown: None, assets: Vec::new() };
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
        let Extent { assets, path_bytes } = self.extent;
        let fits = self.assets.len() < assets && self.path_bytes + asset.path.len() <= path_bytes;
        if fits && self.assets.iter().all(|known| known.path != asset.path) {
            self.path_bytes += asset.path.len();
            self.assets.push(asset);
        }
    }

    /// `None` if no page was shown.
    fn report(self) -> Option<VisitReport> {
        let View { shown, mut assets, .. } = self;
        let Shown { authority, page, outlet, class, client, draw, aa, head, planned } = shown?;
        let decision = |path: &str| planned.iter().find(|(known, _)| **known == *path).map(|(_, decision)| *decision);
        assets.sort_by_key(|asset| asset.start);
        let (mut complete, mut cut_off, mut last) = (None, false, head);
        for asset in &mut assets {
            // Assets that come after the page has fallen silent are asked for by a click or on scrolling.
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
            class,
            client,
            held_out,
            holdout_probability: chance,
            aa,
            planned: planned.len(),
            warm,
            head,
            complete,
            cut_off,
            assets,
        })
    }
}
