//! The body of a response as a connection brings it, over either version of HTTP.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::http2::Http2Body;

/// The part of a response after the head.
pub(super) enum Incoming {
    Http1(hyper::body::Incoming),
    Http2(Http2Body),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The next part of a body, or that it broke off.
pub(super) type NextFrame = Option<Result<Frame<Bytes>, BoxError>>;

impl Incoming {
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        match self {
            Incoming::Http1(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Incoming::Http2(body) => body.poll_frame(cx).map_err(Into::into),
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        match self {
            Incoming::Http1(body) => body.is_end_stream(),
            Incoming::Http2(body) => body.is_end_stream(),
        }
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match self {
            Incoming::Http1(body) => body.size_hint(),
            Incoming::Http2(body) => body.size_hint(),
        }
    }
}
