//! State that the handlers of the admin listener share.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::sources::Sources;

/// State that every handler can read.
#[derive(Clone)]
pub(super) struct App {
    pub(super) sources: Arc<Sources>,
    /// Streams of events end when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
    pub(super) streams: Arc<Semaphore>,
}

pub(super) fn json_response(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{value:#}\n")).into_response()
}
