//! What is where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::config::Config;
use super::guard::{Guard, guard};
use super::metrics::{self, Exposition};
use super::sources::Sources;

/// What every handler can read.
#[derive(Clone)]
pub(super) struct App {
    pub(super) sources: Arc<Sources>,
    /// Streams of events end when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
}

pub(super) fn router(sources: Arc<Sources>, config: &Config, stopping: watch::Receiver<bool>) -> Router {
    let guarded = Arc::new(Guard::new(config));
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(nothing)
        .with_state(App { sources, stopping })
        .layer(middleware::from_fn_with_state(guarded, guard))
}

/// 200 as long as more work is wanted; 503 from the moment the server was told to stop.
async fn health(State(app): State<App>) -> Response {
    let draining = app.sources.health.is_draining();
    let status = if draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "status": if draining { "draining" } else { "serving" },
        "uptime_seconds": app.sources.uptime().as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
    });
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

pub(super) fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{value:#}\n")).into_response()
}

async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "nothing here; there are /, /metrics, /health, /explain, /state and /events\n")
        .into_response()
}
