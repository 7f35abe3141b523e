//! The cost of the ledger of the program, fed with what the engine tells of page views.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headstart::policy::{Client, Policy as _, Pushes};
use headstart::{ConnectionPolicy, Event, Headstart};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName};
use http::{HeaderValue, Request, Response, request, response};
use http_body::SizeHint;

use super::program::ledger::Ledger;

/// Pages, each of which is viewed once a round.
const PAGES: usize = 1024;
/// Assets of a page.
const ASSETS: usize = 10;

/// Events that are made at a time.
const FRESH: usize = 32;
/// Rounds of which the ledger keeps each view's timeline.
const KEPT: usize = 15;

/// Nanoseconds that the ledger takes for a view with ten assets, its beginning and its end, on one of 1,024 pages.
pub(super) struct Cost {
    /// Of a view whose timeline is kept: the first of a page, and one in ten seconds. The median of 14 rounds.
    pub(super) kept: f64,
    /// Of each other view: the median of 33 rounds.
    pub(super) view: f64,
    /// The same of a page without assets, as a base.
    pub(super) bare: f64,
}

pub(super) fn cost() -> Cost {
    let (kept, view) = of_assets(ASSETS);
    Cost { kept, view, bare: of_assets(0).1 }
}

fn of_assets(assets: usize) -> (f64, f64) {
    let events = events(assets);
    let views = events.iter().filter(|event| matches!(event, Event::Visit(_))).count();
    assert!(views >= PAGES, "{views} views of {PAGES} pages");
    let ledger = Ledger::new(None);
    let rounds: Vec<f64> = (0..KEPT + 33)
        .map(|_| {
            // The engine tells of a view that it has just made, which lies in the cache.
            let fresh = |events: &[Event]| events.iter().map(copy).collect::<Vec<Event>>();
            let spent = events.chunks(FRESH).map(|events| {
                let events = fresh(events);
                let began = Instant::now();
                for event in &events {
                    ledger.record(event);
                }
                began.elapsed()
            });
            spent.sum::<Duration>().as_nanos() as f64 / views as f64
        })
        .collect();
    let median = |rounds: &[f64]| {
        let mut rounds = rounds.to_vec();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    };
    (median(&rounds[1..KEPT]), median(&rounds[KEPT..]))
}

/// An event as if it had just been made, with paths of its own.
fn copy(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event {
        Event::View(view) => view.assets.iter_mut().for_each(|asset| asset.path = Arc::from(&*asset.path)),
        Event::Visit(visit) => visit.assets.iter_mut().for_each(|asset| asset.path = Arc::from(&*asset.path)),
        _ => {}
    }
    event
}

/// What is told of one view of each page, once they are known.
fn events(assets: usize) -> Vec<Event> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = Arc::clone(&told);
    let headstart = Headstart::builder().min_networks(1).holdout(0).secret([7; 32]).on_event(move |event| {
        observer.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    });
    let headstart = headstart.build().expect("settings in range");
    for _ in 0..4 {
        told.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for page in 0..PAGES {
            view(&headstart, page, assets);
        }
        headstart.finish();
    }
    let mut events = told.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *events)
}

/// A view by a client that holds nothing.
fn view(headstart: &Headstart, page: usize, assets: usize) {
    let mut policy = headstart.policy(([192, 0, 2, 1], 40_000).into());
    let path = format!("/pages/{page}");
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("accept", "text/html")];
    exchange(&mut policy, head(&path, &navigation), "text/html");
    let referer = format!("https://bench.example{path}");
    for asset in 0..assets {
        let fields = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "style"), ("referer", &referer)];
        exchange(&mut policy, head(&format!("/assets/{}.css", (page + asset) % PAGES), &fields), "text/css");
    }
}

fn head(path: &str, fields: &[(&'static str, &str)]) -> request::Parts {
    let mut request = Request::get(format!("https://bench.example{path}")).body(()).expect("a request");
    for (name, value) in fields {
        request.headers_mut().insert(HeaderName::from_static(name), value.parse().expect("a value"));
    }
    request.into_parts().0
}

fn exchange(policy: &mut ConnectionPolicy, mut head: request::Parts, media: &'static str) {
    let mut answer = answer(media);
    let mut exchange = policy.request(Client::new(false), &mut head).exchange;
    if let Pushes::Keep(more) = policy.response(&mut exchange, &mut answer, &SizeHint::with_exact(5_000)) {
        assert!(more.is_empty(), "the client takes no pushes");
    }
    policy.commit(&mut exchange, &mut answer, &[]);
    policy.ended(exchange, true);
}

fn answer(media: &'static str) -> response::Parts {
    let mut response = Response::new(());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    headers.insert(ETAG, HeaderValue::from_static("\"1\""));
    response.into_parts().0
}
