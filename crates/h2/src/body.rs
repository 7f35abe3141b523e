//! The body of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::Method;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};

use crate::config::Config;
use crate::interim::Interim;
use crate::refuse;
use crate::unread_uploads::UnreadUploads;
use crate::upload_timeout::UploadTimeout;
use crate::wire::Wire;

/// The body of a request: an upload on an HTTP/2 stream, or nothing for a pushed request.
///
/// Flow-control credit is returned as data is taken, so at most the stream window of an unread upload is held. A body
/// that does not arrive ends with an error ([`Config::body_stall_timeout`]).
pub struct RequestBody {
    stream: Option<RecvStream>,
    data_ended: bool,
    size: SizeHint,
    /// Set while the client waits for 100 (Continue).
    expected_by: Option<Arc<Interim>>,
    /// Set while a stall is the client's fault: neither in a tunnel nor once the response has begun.
    upload: Option<Upload>,
    /// Gets the stream if the body is dropped before its end.
    unread: Option<Arc<UnreadUploads>>,
}

/// An upload that a handler needs for its response.
struct Upload {
    timeout: UploadTimeout,
    interim: Arc<Interim>,
    wire: Arc<Wire>,
    id: u32,
}

impl RequestBody {
    /// A body without content.
    pub fn empty() -> Self {
        let size = SizeHint::with_exact(0);
        RequestBody { stream: None, data_ended: true, size, expected_by: None, upload: None, unread: None }
    }

    /// The body of this request, which comes on `stream`.
    pub(crate) fn new(
        stream: RecvStream,
        head: &Parts,
        config: &Config,
        interim: &Arc<Interim>,
        wire: &Arc<Wire>,
        unread: &Arc<UnreadUploads>,
    ) -> Self {
        if stream.is_end_stream() {
            return RequestBody::empty();
        }
        let size = refuse::content_length(head).map_or_else(SizeHint::new, SizeHint::with_exact);
        let expected_by = refuse::expects_continue(head).then(|| Arc::clone(interim));
        let upload = (head.method != Method::CONNECT).then(|| Upload {
            timeout: UploadTimeout::new(config),
            interim: Arc::clone(interim),
            wire: Arc::clone(wire),
            id: stream.stream_id().as_u32(),
        });
        unread.opened();
        let unread = Some(Arc::clone(unread));
        RequestBody { stream: Some(stream), data_ended: false, size, expected_by, upload, unread }
    }

    /// Nothing has come: fails if the client makes the handler wait for too long.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.upload.take_if(|upload| upload.interim.is_closed());
        if let Some(upload) = &mut self.upload {
            ready!(upload.timeout.wait(cx, upload.wire.partial_upload(upload.id)));
            self.upload = None;
            // The stream is dropped, and reset when the response is sent or fails.
            self.end();
            return Poll::Ready(Some(Err(BodyError { kind: Kind::Stalled })));
        }
        Poll::Pending
    }

    fn end(&mut self) -> Option<RecvStream> {
        let stream = self.stream.take()?;
        if let Some(unread) = &self.unread {
            unread.closed();
        }
        Some(stream)
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
            match stream.poll_data(cx) {
                Poll::Pending => return body.wait(cx),
                Poll::Ready(Some(Ok(data))) => {
                    if let Some(upload) = &mut body.upload {
                        upload.timeout.came(data.len());
                    }
                    // The credit may be refused only for a stream that is gone, which the next poll reports.
                    let _ = stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(ended_by(error)),
                Poll::Ready(None) => body.data_ended = true,
            }
        }
        match stream.poll_trailers(cx) {
            Poll::Pending => body.wait(cx),
            Poll::Ready(Ok(trailers)) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Poll::Ready(Err(error)) => Poll::Ready(ended_by(error)),
        }
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
        if let (Some(stream), None, Some(unread)) = (self.end(), &self.expected_by, &self.unread)
            && !self.data_ended
            && !stream.is_end_stream()
        {
            unread.leave(stream);
        }
    }
}

/// RST_STREAM(NO_ERROR) after a complete response asks the client to stop, and is an end like any other
/// (RFC 9113, section 8.1).
fn ended_by(error: h2::Error) -> Option<Result<Frame<Bytes>, BodyError>> {
    (error.reason() != Some(Reason::NO_ERROR)).then_some(Err(BodyError { kind: Kind::Broken(error) }))
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.size).finish_non_exhaustive()
    }
}

/// An upload broke off.
#[derive(Debug)]
pub struct BodyError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Broken(h2::Error),
    Stalled,
}

impl BodyError {
    /// Whether the client sent too little for too long ([`Config::body_stall_timeout`]). Else it cancelled the request, or
    /// the connection broke.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::Stalled)
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Broken(error) => write!(f, "the request body broke off: {error}"),
            Kind::Stalled => f.write_str("the request body came too slowly"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Broken(error) => Some(error),
            Kind::Stalled => None,
        }
    }
}
