//! The body of a request, whichever protocol carried it.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

/// How long an upload over HTTP/1.1 may stop while it is read. The driver of HTTP/2 has its own.
const STALL: Duration = Duration::from_secs(30);

/// The body of a request that [`Headstart::serve`](crate::Headstart::serve) received.
#[derive(Debug)]
pub struct Body(Inner);

#[derive(Debug)]
enum Inner {
    Http1 {
        body: Incoming,
        /// Runs while the client owes the next part.
        timer: Option<Pin<Box<Sleep>>>,
    },
    Http2(headstart_h2::RequestBody),
}

/// Why an upload broke off.
pub type BodyError = Box<dyn Error + Send + Sync>;

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Body(Inner::Http1 { body, timer: None })
    }
}

impl From<headstart_h2::RequestBody> for Body {
    fn from(body: headstart_h2::RequestBody) -> Self {
        Body(Inner::Http2(body))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.get_mut().0 {
            Inner::Http1 { body, timer } => {
                let frame = Pin::new(body).poll_frame(cx).map_err(Into::into);
                if frame.is_ready() {
                    *timer = None;
                    return frame;
                }
                let timer = timer.get_or_insert_with(|| Box::pin(sleep(STALL)));
                timer.as_mut().poll(cx).map(|()| Some(Err("the upload stopped".into())))
            }
            Inner::Http2(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Http1 { body, .. } => body.is_end_stream(),
            Inner::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Http1 { body, .. } => body.size_hint(),
            Inner::Http2(body) => body.size_hint(),
        }
    }
}
