//! A response that others wait for is read at the upstream's pace, not at that of the client that happened to ask first,
//! and to its end even if that client leaves.

use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::poll_fn;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::relay::{BodyError, Relay};

/// The body for the client that asked. The part that it has not taken yet is at most as large as what the cache keeps.
pub(super) struct ReadAhead {
    pieces: UnboundedReceiver<Piece>,
    /// The rest when it turned out that the body is not kept: from there on the client sets the pace.
    rest: Option<Box<Relay>>,
    /// Bytes to come, if that is known.
    left: Option<u64>,
    /// Until the client has it all: that is how long the bytes are held.
    _permit: OwnedSemaphorePermit,
}

enum Piece {
    Frame(Result<Frame<Bytes>, BodyError>),
    Rest(Box<Relay>),
}

impl ReadAhead {
    pub(super) fn new(relay: Box<Relay>, permit: OwnedSemaphorePermit) -> Self {
        let left = relay.size_hint().exact();
        let (sender, pieces) = unbounded_channel();
        tokio::spawn(read(relay, sender));
        ReadAhead { pieces, rest: None, left, _permit: permit }
    }

    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(rest) = &mut self.rest {
                return rest.poll_frame(cx);
            }
            match std::task::ready!(self.pieces.poll_recv(cx)) {
                Some(Piece::Frame(frame)) => {
                    let bytes = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
                    self.left = self.left.map(|left| left.saturating_sub(bytes as u64));
                    return Poll::Ready(Some(frame));
                }
                Some(Piece::Rest(relay)) => self.rest = Some(relay),
                None => return Poll::Ready(None),
            }
        }
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        match (&self.rest, self.left) {
            (Some(rest), _) => rest.size_hint(),
            (None, Some(left)) => SizeHint::with_exact(left),
            (None, None) => SizeHint::default(),
        }
    }
}

/// Reads as long as what comes is kept, or to the end. A client that has left does not matter.
async fn read(mut relay: Box<Relay>, to: UnboundedSender<Piece>) {
    while relay.is_stored() {
        let Some(frame) = poll_fn(|cx| relay.poll_frame(cx)).await else { return };
        let _ = to.send(Piece::Frame(frame));
    }
    let _ = to.send(Piece::Rest(relay));
}
