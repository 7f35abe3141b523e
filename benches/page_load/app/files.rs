//! The handler of all Rust servers: the files of a directory, and a pause before a page.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode, header};
use tower_service::Service;

use crate::page_load::site::NO_STORE;

/// A directory as a tower service.
#[derive(Clone)]
pub(super) struct Files {
    root: Arc<PathBuf>,
    pub(super) think: Duration,
}

impl Files {
    pub(super) fn new(root: PathBuf, think: Duration) -> Self {
        Self { root: Arc::new(root), think }
    }

    /// The response, without the pause. Assets are named after their content and stay good; a page is asked for again, and
    /// data is not stored. What there is in compressed form goes out so to who takes it.
    pub(super) fn response(&self, path: &str, conditions: &HeaderMap) -> Response<Bytes> {
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
        let file = self.root.join(path.trim_start_matches('/'));
        let takes = |coding: &http::HeaderValue| coding.as_bytes().starts_with(b"gzip");
        let gzip = conditions.get(header::ACCEPT_ENCODING).is_some_and(takes);
        let compressed = || std::fs::read(self.root.join(format!("{}.gz", path.trim_start_matches('/')))).ok();
        let compressed = if plain && gzip { compressed() } else { None };
        let gzip = compressed.is_some();
        let content = if plain && !path.contains("..") { std::fs::read(file).ok() } else { None };
        let Some(content) = content.map(|content| compressed.unwrap_or(content)) else {
            let mut response = Response::new(Bytes::from_static(b"not found"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        let sum = content.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        let tag = format!("\"{sum:016x}\"");
        let control = match path {
            _ if is_page(path) => "private, no-cache",
            _ if path.starts_with(NO_STORE) => "no-store",
            _ => "public, max-age=31536000, immutable",
        };
        let mut response = Response::builder()
            .header(header::CONTENT_TYPE, media_type(path))
            .header(header::CACHE_CONTROL, control)
            .header(header::ETAG, &tag);
        if gzip {
            response = response.header(header::CONTENT_ENCODING, "gzip").header(header::VARY, "accept-encoding");
        }
        let held = conditions.get(header::IF_NONE_MATCH).is_some_and(|held| held.as_bytes() == tag.as_bytes());
        let response = if held {
            response.status(StatusCode::NOT_MODIFIED).body(Bytes::new())
        } else {
            response.body(content.into())
        };
        response.expect("fields are well-formed")
    }
}

impl<B> Service<Request<B>> for Files {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let files = self.clone();
        let (head, _) = request.into_parts();
        Box::pin(async move {
            if is_page(head.uri.path()) && !files.think.is_zero() {
                tokio::time::sleep(files.think).await;
            }
            Ok(files.response(head.uri.path(), &head.headers).map(Body::from))
        })
    }
}

pub(super) fn is_page(path: &str) -> bool {
    path.rsplit('.').next() == Some("html")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
