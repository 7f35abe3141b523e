//! The body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Body, Frame, SizeHint};

use crate::interim::Interim;
use crate::leftovers::Leftovers;

/// The body of a request: an upload on an HTTP/2 stream, or nothing for a pushed request.
///
/// Flow-control credit is returned as data is taken, so at most the stream window of an unread upload is held.
pub struct RequestBody {
    stream: Option<RecvStream>,
    data_ended: bool,
    size: SizeHint,
    /// Set while the client waits for 100 (Continue).
    expected_by: Option<Arc<Interim>>,
    /// Takes what is not read.
    leftovers: Option<Arc<Leftovers>>,
}

impl RequestBody {
    /// A body without content.
    pub fn empty() -> Self {
        let size = SizeHint::with_exact(0);
        RequestBody { stream: None, data_ended: true, size, expected_by: None, leftovers: None }
    }

    pub(crate) fn new(
        stream: RecvStream,
        length: Option<u64>,
        expected_by: Option<Arc<Interim>>,
        leftovers: &Arc<Leftovers>,
    ) -> Self {
        if stream.is_end_stream() {
            return RequestBody::empty();
        }
        let size = length.map_or_else(SizeHint::new, SizeHint::with_exact);
        let leftovers = Some(Arc::clone(leftovers));
        RequestBody { stream: Some(stream), data_ended: false, size, expected_by, leftovers }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = self.get_mut();
        if let Some(interim) = body.expected_by.take() {
            interim.go_on();
        }
        let Some(stream) = &mut body.stream else {
            return Poll::Ready(None);
        };
        if !body.data_ended {
            match ready!(stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // The credit may be refused only for a stream that is gone, which the next poll reports.
                    let _ = stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(ended_by(error)),
                None => body.data_ended = true,
            }
        }
        Poll::Ready(match ready!(stream.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Err(error) => ended_by(error),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.stream.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // A client that still waits for 100 (Continue) has sent nothing, and with the response in hand will not.
        if let (Some(stream), None, Some(leftovers)) = (self.stream.take(), &self.expected_by, &self.leftovers)
            && !self.data_ended
            && !stream.is_end_stream()
        {
            leftovers.leave(stream);
        }
    }
}

/// RST_STREAM(NO_ERROR) after a complete response asks the client to stop, and is an end like any other
/// (RFC 9113, section 8.1).
fn ended_by(error: h2::Error) -> Option<Result<Frame<Bytes>, BodyError>> {
    (error.reason() != Some(Reason::NO_ERROR)).then_some(Err(BodyError(error)))
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.size).finish_non_exhaustive()
    }
}

/// An upload broke off.
#[derive(Debug)]
pub struct BodyError(h2::Error);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request body broke off: {}", self.0)
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
