//! The body of a response over HTTP/2.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;
use http_body::{Frame, SizeHint};

use super::stream::Stream;

/// The body of a response on a stream. Its window opens as the client takes it.
pub(crate) struct Http2Body {
    stream: Stream,
    /// All data has come; trailers may follow.
    data_ended: bool,
    /// Bytes to come, if the server said how many.
    left: Option<u64>,
}

impl Http2Body {
    /// `length` is what the head says; `h2` sees to it that it is so.
    pub(super) fn new(stream: Stream, length: Option<u64>) -> Self {
        Http2Body { stream, data_ended: false, left: length }
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let Some(body) = self.stream.body() else { return Poll::Ready(None) };
        if !self.data_ended {
            match ready!(body.poll_data(cx)) {
                Some(Ok(data)) => {
                    // Fails only for a stream that is gone.
                    let _ = body.flow_control().release_capacity(data.len());
                    self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.data_ended = true,
            }
        }
        let trailers = ready!(body.poll_trailers(cx))?;
        self.stream.finish();
        Poll::Ready(trailers.map(|fields| Ok(Frame::trailers(fields))))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    /// The sending half of the stream, if it was opened as a tunnel.
    pub(super) fn take_sender(&mut self) -> Option<SendStream<Bytes>> {
        self.stream.take_sender()
    }
}
