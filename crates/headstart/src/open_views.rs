//! The views of clients that no connection of their own stands for: behind a trusted proxy, whose connections carry many,
//! and over HTTP/1.1, where one client opens several. Which view an asset belongs to is known by its client and its Referer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headstart_learn::ClientId;

use crate::event::VisitReport;
use crate::stopwatch::{Extent, Stopwatch};

/// Views that are timed at once. While so many are open, further ones are not timed: those that are stay whole.
const MAX_VIEWS: usize = 1024;
/// Assets of one view, and bytes of their paths.
const EXTENT: Extent = Extent { assets: 64, path_bytes: 4 << 10 };

/// At most 1,024 views, each of at most 64 assets and 4 KiB of paths: 9 MiB.
#[derive(Default)]
pub(crate) struct OpenViews(Mutex<State>);

#[derive(Default)]
struct State {
    by_client: HashMap<ClientId, Stopwatch>,
    /// When each view is over at the latest, in order; one that was ended before is still in it.
    deadlines: VecDeque<(Instant, ClientId, u64)>,
    /// The number of the latest view.
    views: u64,
}

impl OpenViews {
    /// A client navigates. Returns the number of its view, 0 for one that is not timed, and the reports of those that
    /// are over.
    pub(crate) fn navigate(
        &self,
        client: ClientId,
        page: &Arc<str>,
        window: Duration,
        now: Instant,
    ) -> (u64, Vec<VisitReport>) {
        let mut state = self.lock();
        let mut reports = state.expire(now);
        reports.extend(state.by_client.remove(&client).and_then(|mut stopwatch| stopwatch.finish()));
        // A deadline stays until it has passed, so there may be more of them than open views.
        if state.by_client.len() >= MAX_VIEWS || state.deadlines.len() >= 4 * MAX_VIEWS {
            return (0, reports);
        }
        state.views += 1;
        let number = state.views;
        let mut stopwatch = Stopwatch::new(number - 1, EXTENT);
        stopwatch.navigate(page, window, now);
        state.by_client.insert(client, stopwatch);
        // A response that was asked for within the window may still be on its way after it.
        state.deadlines.push_back((now + 2 * window, client, number));
        (number, reports)
    }

    /// Lets the open view of a client be told of something.
    pub(crate) fn with<T>(&self, client: ClientId, tell: impl FnOnce(&mut Stopwatch) -> T) -> Option<T> {
        self.lock().by_client.get_mut(&client).map(tell)
    }

    /// The reports of the views whose time has passed.
    pub(crate) fn expire(&self, now: Instant) -> Vec<VisitReport> {
        self.lock().expire(now)
    }

    /// Ends all views.
    pub(crate) fn finish(&self) -> Vec<VisitReport> {
        let mut state = self.lock();
        state.deadlines.clear();
        let open = std::mem::take(&mut state.by_client);
        open.into_values().filter_map(|mut stopwatch| stopwatch.finish()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves a view that ends at its deadline.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn expire(&mut self, now: Instant) -> Vec<VisitReport> {
        let mut reports = Vec::new();
        while let Some((_, client, number)) = self.deadlines.front().copied().filter(|(deadline, ..)| *deadline <= now)
        {
            self.deadlines.pop_front();
            if self.by_client.get(&client).is_some_and(|stopwatch| stopwatch.number() == Some(number)) {
                reports.extend(self.by_client.remove(&client).and_then(|mut stopwatch| stopwatch.finish()));
            }
        }
        reports
    }
}

#[cfg(test)]
mod tests {
    use headstart_learn::{ClientClass, Draw};

    use super::*;
    use crate::request::Referer;
    use crate::stopwatch::Shown;
    use crate::view::{Decision, Outlet};

    const WINDOW: Duration = Duration::from_secs(15);

    fn shown() -> Shown {
        Shown {
            authority: "a.example".into(),
            page: "/".into(),
            outlet: Outlet::EarlyHints,
            class: ClientClass::Other,
            client: 7,
            draw: Draw::default(),
            aa: false,
            head: Duration::ZERO,
            planned: vec![("/a.css".into(), Decision::Hinted)],
        }
    }

    #[test]
    fn an_asset_belongs_to_the_view_of_its_client_and_referer() {
        let (views, now) = (OpenViews::default(), Instant::now());
        let (a, b) = (ClientId::new(1), ClientId::new(2));
        let page: Arc<str> = "/".into();
        let css: Arc<str> = "/a.css".into();
        let (first, _) = views.navigate(a, &page, WINDOW, now);
        let (second, _) = views.navigate(b, &page, WINDOW, now);
        assert_ne!(first, second);
        let path = |path: &str| Referer::Path(path.to_owned());
        views.with(a, |view| view.shown(first, shown(), now));
        let asked = |client, referer: &Referer| views.with(client, |view| view.asked(&css, referer, now)).flatten();
        assert_eq!(asked(a, &path("/other")), None, "of another page");
        assert_eq!(asked(ClientId::new(3), &path("/")), None, "of a client without a view");
        assert_eq!(asked(a, &path("/")), Some(first));
        views.with(b, |view| view.sent(first, "/a.css", 9, now));
        views.with(a, |view| view.sent(first, "/a.css", 9, now + Duration::from_millis(80)));
        assert!(views.expire(now + WINDOW).is_empty());
        let reports = views.expire(now + 2 * WINDOW);
        // The page of the other client was never shown.
        assert_eq!(reports.len(), 1);
        assert_eq!((reports[0].complete, reports[0].client), (Some(Duration::from_millis(80)), 7));
        assert!(views.finish().is_empty());
    }

    #[test]
    fn a_flood_of_clients_is_not_timed_and_takes_no_place_from_those_that_are() {
        let (views, now) = (OpenViews::default(), Instant::now());
        let page: Arc<str> = "/".into();
        let numbers: Vec<_> =
            (0..5_000).map(|client| views.navigate(ClientId::new(client), &page, WINDOW, now).0).collect();
        assert_eq!(numbers.iter().filter(|number| **number > 0).count(), MAX_VIEWS);
        assert!(numbers[..MAX_VIEWS].iter().all(|number| *number > 0));
        // One client that navigates without end does not grow the list of deadlines for ever.
        for _ in 0..100_000 {
            views.navigate(ClientId::new(1), &page, WINDOW, now);
        }
        assert!(views.lock().deadlines.len() <= 4 * MAX_VIEWS);
        let later = now + 2 * WINDOW;
        assert!(views.navigate(ClientId::new(9_999), &page, WINDOW, later).0 > 0, "there is room again");
    }
}
