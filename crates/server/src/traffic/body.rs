//! A response body that is watched until its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::open::Open;

pin_project! {
    /// A body, and what is to be told when it ends: after its last byte, or when it is dropped before.
    pub(crate) struct WatchedBody<B> {
        #[pin]
        inner: B,
        open: Option<Open>,
    }
}

impl<B: Body> WatchedBody<B> {
    /// A body without an end to wait for is told of at once: nobody may ask it for a byte.
    pub(super) fn new(inner: B, open: Option<Open>, bodiless: bool) -> Self {
        let open = match open {
            Some(mut open) if bodiless || inner.is_end_stream() => {
                open.complete = true;
                // Dropped, and so told.
                None
            }
            open => open,
        };
        Self { inner, open }
    }
}

impl<B: Body> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(open) = this.open {
            open.sent = true;
            match &frame {
                Some(Ok(frame)) => open.bytes += frame.data_ref().map_or(0, |data| data.remaining() as u64),
                Some(Err(_)) => {}
                None => open.complete = true,
            }
            // The last frame may never be asked for.
            open.complete |= this.inner.is_end_stream() && !matches!(frame, Some(Err(_)));
            if open.complete || matches!(frame, Some(Err(_))) {
                *this.open = None;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
