//! The body of a response that passes the tower layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::open_exchange::OpenExchange;

pin_project! {
    /// The body of a response of [`HeadstartService`](crate::HeadstartService): the service's own, whose end the learner
    /// is told of.
    pub struct ObservedBody<B> {
        #[pin]
        inner: B,
        open: Option<OpenExchange>,
    }
}

impl<B: Body> ObservedBody<B> {
    pub(crate) fn new(inner: B, open: Option<OpenExchange>) -> Self {
        let mut body = ObservedBody { inner, open };
        // A server does not ask for frames of a body that has none.
        if body.inner.is_end_stream() {
            ended(&mut body.open);
        }
        body
    }
}

fn ended(open: &mut Option<OpenExchange>) {
    if let Some(mut open) = open.take() {
        open.completed();
    }
}

impl<B: Body> Body for ObservedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            None => ended(this.open),
            Some(Ok(_)) if this.inner.is_end_stream() => ended(this.open),
            Some(Ok(_)) => {}
            Some(Err(_)) => *this.open = None,
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

impl<B> fmt::Debug for ObservedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedBody").finish_non_exhaustive()
    }
}
