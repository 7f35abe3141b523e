//! A body of which a copy is kept while it is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use headstart_markup::MAX_DOCUMENT_BYTES;
use http_body::{Frame, SizeHint};

use super::desk::{Copy, Desk};

/// The copy of a body, and where it goes.
pub(crate) struct Pending {
    pub(crate) desk: Arc<Desk>,
    pub(crate) copy: Copy,
    pub(crate) bytes: usize,
}

pin_project_lite::pin_project! {
    /// The body itself, part by part as it comes. The parts are shared with the copy, not copied.
    pub(crate) struct CopiedBody<B> {
        #[pin]
        body: B,
        pending: Option<Box<Pending>>,
    }
}

impl<B> CopiedBody<B> {
    pub(crate) fn new(body: B, pending: Option<Box<Pending>>) -> Self {
        CopiedBody { body, pending }
    }
}

impl Pending {
    /// Keeps a part; returns whether that was enough.
    fn keep(&mut self, part: &Bytes) -> bool {
        let room = MAX_DOCUMENT_BYTES - self.bytes.min(MAX_DOCUMENT_BYTES);
        let kept = part.slice(..part.len().min(room));
        self.bytes += kept.len();
        let enough = kept.len() < part.len();
        self.copy.parts.push_back(kept);
        enough
    }

    fn submit(mut self, whole: bool) {
        self.copy.whole = whole;
        self.desk.submit(self.copy);
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for CopiedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if let Some(mut pending) = this.pending.take() {
            match &frame {
                Some(Ok(frame)) => {
                    let enough = frame.data_ref().is_some_and(|part| pending.keep(part));
                    // Whoever sends the body need not ask again when it says that it has ended.
                    let ended = this.body.is_end_stream();
                    if enough || ended {
                        pending.submit(ended && !enough);
                    } else {
                        *this.pending = Some(pending);
                    }
                }
                None => pending.submit(true),
                // A body that broke off says nothing.
                Some(Err(_)) => {}
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
