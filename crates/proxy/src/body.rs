//! The body of a response on its way to the client.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::cache::Storing;
use super::encoding::Recoder;
use super::read_ahead::ReadAhead;
use super::relay::{BodyError, Relay};

/// A response body: known, or passed on from the upstream as the client takes it.
///
/// It fails, which resets the stream or closes the connection, if the upstream does not send it to its end.
pub struct Body(Kind);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("bytes", &http_body::Body::size_hint(self).exact()).finish_non_exhaustive()
    }
}

enum Kind {
    Known(Bytes),
    Relay(Box<Relay>),
    ReadAhead(ReadAhead),
}

impl Body {
    pub(super) fn known(bytes: impl Into<Bytes>) -> Self {
        Body(Kind::Known(bytes.into()))
    }

    pub(super) fn relayed(relay: Relay, recoder: Option<Box<Recoder>>, mut storing: Option<Box<Storing>>) -> Self {
        if relay.is_end_stream() {
            if let Some(storing) = storing {
                storing.finish();
            }
            relay.release();
            return Body::known(Bytes::new());
        }
        let ahead = storing.as_mut().and_then(|storing| storing.read_ahead());
        let relay = Box::new(relay.with(recoder, storing));
        Body(match ahead {
            Some(permit) => Kind::ReadAhead(ReadAhead::new(relay, permit)),
            None => Kind::Relay(relay),
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.get_mut().0 {
            Kind::Known(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Known(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Relay(relay) => relay.poll_frame(cx),
            Kind::ReadAhead(ahead) => ahead.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Known(bytes) => bytes.is_empty(),
            Kind::Relay(relay) => relay.is_end_stream(),
            Kind::ReadAhead(ahead) => ahead.size_hint().exact() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Known(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Relay(relay) => relay.size_hint(),
            Kind::ReadAhead(ahead) => ahead.size_hint(),
        }
    }
}
