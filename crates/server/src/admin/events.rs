//! `/events`: what changes, as server-sent events.
//!
//! `stats` has the headline numbers as JSON. With `view` (`overview` or `detail`, and the parameters of that page) there
//! is an event for each section of the dashboard that changed, with its new content.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::app::App;
use super::dashboard;
use super::sources::Sources;

/// Streams at once; further ones are refused with 503.
pub(super) const MAX_STREAMS: usize = 16;
/// Between two looks at what has changed.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn events(State(app): State<App>, Query(query): Query<dashboard::Query>) -> Response {
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let fields = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, fields, "too many streams of events are open\n").into_response();
    };
    let mut stopping = app.stopping.clone();
    let stop = async move {
        // The sender outlives the listener.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let events = changes(Arc::clone(&app.sources), query, place).take_until(stop);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

struct Watcher {
    sources: Arc<Sources>,
    query: dashboard::Query,
    ticks: Interval,
    /// The last value sent, by name.
    sent: HashMap<&'static str, String>,
    _place: OwnedSemaphorePermit,
}

fn changes(
    sources: Arc<Sources>,
    query: dashboard::Query,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut ticks = tokio::time::interval_at(Instant::now(), EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher { sources, query, ticks, sent: HashMap::new(), _place: place };
    stream::unfold(watcher, |mut watcher| async move {
        loop {
            watcher.ticks.tick().await;
            let changed = watcher.look().await;
            if !changed.is_empty() {
                return Some((stream::iter(changed), watcher));
            }
        }
    })
    .flatten()
}

impl Watcher {
    async fn look(&mut self) -> Vec<Result<Event, Infallible>> {
        let (sources, query) = (Arc::clone(&self.sources), self.query.clone());
        let look = move || {
            let mut now = vec![("stats", stats(&sources).to_string())];
            now.extend(dashboard::live(&sources, &query));
            now
        };
        // Takes the learner's lock: not on a thread that serves.
        let now = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        let mut changed = Vec::new();
        for (name, content) in now {
            if self.sent.get(name) != Some(&content) {
                changed.push(Ok(Event::default().event(name).data(&content)));
                self.sent.insert(name, content);
            }
        }
        changed
    }
}

fn stats(sources: &Sources) -> Value {
    let (stats, totals) = (sources.headstart.stats(), sources.ledger.totals());
    json!({
        "views": stats.views,
        "held_out": stats.held_out,
        "pushed": stats.pushed,
        "hinted": stats.hinted,
        "linked": stats.linked,
        "held": stats.held,
        "pushed_bytes": totals.pushed_bytes,
        "wasted_push_bytes": totals.wasted_bytes,
        "requests": sources.traffic.requests(),
        "connections_open": stats.connections.saturating_sub(stats.connections_ended),
        "draining": sources.health.is_draining(),
    })
}
