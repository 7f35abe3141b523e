//! Routes of the admin listener.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use super::app::{App, json_response};
use super::config::Config;
use super::guard::{Guard, Stranger, guard};
use super::metrics::{self, Exposition};
use super::sources::Sources;
use super::{dashboard, events, explain, gain, state};

pub(super) fn router(sources: Arc<Sources>, config: &Config, stopping: watch::Receiver<bool>) -> Router {
    let guarded = Arc::new(Guard::new(config));
    Router::new()
        .route("/", get(overview))
        .route("/page", get(detail))
        .route("/dashboard.css", get(async || asset("text/css; charset=utf-8", dashboard::CSS)))
        .route("/dashboard.js", get(async || asset("text/javascript; charset=utf-8", dashboard::JS)))
        .route("/icon.svg", get(async || asset("image/svg+xml", dashboard::ICON)))
        .route("/events", get(events::events))
        .route("/explain", get(explain::explain))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/state", get(state::state))
        .route("/gain.jsonl", get(gain_rows))
        .fallback(nothing)
        .with_state(App { sources, stopping, streams: Arc::new(Semaphore::new(events::MAX_STREAMS)) })
        .layer(middleware::from_fn_with_state(guarded, guard))
}

async fn overview(State(app): State<App>, Query(query): Query<dashboard::Query>) -> Response {
    let html = move || (StatusCode::OK, dashboard::overview(&app.sources, &query));
    page(html).await
}

async fn detail(State(app): State<App>, Query(query): Query<dashboard::Query>) -> Response {
    let html = move || match dashboard::detail(&app.sources, &query) {
        Some(html) => (StatusCode::OK, html),
        None => (StatusCode::NOT_FOUND, dashboard::absent()),
    };
    page(html).await
}

/// Takes the learner's lock: not on a thread that serves.
async fn page(make: impl FnOnce() -> (StatusCode, String) + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(make).await {
        Ok((status, html)) => (status, Html(html)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn asset(media_type: &'static str, content: &'static str) -> Response {
    let fields = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, max-age=60")];
    (fields, content).into_response()
}

/// 200 as long as more work is wanted; 503 from the moment the server was told to stop. Who has not shown the token learns
/// no more than that.
async fn health(State(app): State<App>, stranger: Option<Extension<Stranger>>) -> Response {
    let draining = app.sources.health.is_draining();
    let status = if draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let mut body = json!({ "status": if draining { "draining" } else { "serving" } });
    if stranger.is_none() {
        body["uptime_seconds"] = app.sources.uptime().as_secs().into();
        body["version"] = env!("CARGO_PKG_VERSION").into();
    }
    (status, json_response(&body)).into_response()
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let exposition = Exposition::wanted(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    // Counts over all that was learned, under its lock: not on a thread that serves.
    let text = tokio::task::spawn_blocking(move || metrics::text(&app.sources, exposition)).await;
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, exposition.media_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The figures of the gain, a line of JSON each.
async fn gain_rows(State(app): State<App>) -> Response {
    // Takes the learner's lock, and much memory: not on a thread that serves.
    let rows = tokio::task::spawn_blocking(move || gain::rows(&app.sources.headstart, &app.sources.ledger)).await;
    match rows {
        Ok(rows) => ([(header::CONTENT_TYPE, "application/jsonl; charset=utf-8")], rows).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "nothing here; there are /, /metrics, /health, /explain, /state, /gain.jsonl and /events\n")
        .into_response()
}
