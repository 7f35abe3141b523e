//! A body that is encoded while it is passed on.

use std::task::Poll;

use bytes::Bytes;
use headstart_coding::Encoder;
use http_body::Frame;

use super::budget::Room;
use crate::incoming::NextFrame;

/// Bytes encoded between two yields of the processor to others.
const PIECE: usize = 16 << 10;

/// Encodes what comes, in memory that was set aside for it.
pub(crate) struct Recoder {
    /// `None` after the end.
    encoder: Option<Encoder>,
    /// Bytes that came and were not encoded yet.
    waiting: Bytes,
    /// Whether bytes written since the last flush are sent without waiting for more.
    flushes: bool,
    is_dirty: bool,
    trailers: Option<Frame<Bytes>>,
    room: Option<Room>,
}

impl Recoder {
    /// `flushes` says that what has come is sent as soon as nothing follows at once.
    pub(super) fn new(encoder: Encoder, room: Room, flushes: bool) -> Self {
        Recoder {
            encoder: Some(encoder),
            waiting: Bytes::new(),
            flushes,
            is_dirty: false,
            trailers: None,
            room: Some(room),
        }
    }

    /// Whether nothing follows.
    pub(crate) fn is_end(&self) -> bool {
        self.encoder.is_none() && self.trailers.is_none()
    }

    /// The next part of the coded body; `next` has the next of the plain one.
    pub(crate) fn poll_frame(&mut self, mut next: impl FnMut() -> Poll<NextFrame>) -> Poll<NextFrame> {
        loop {
            let Some(encoder) = &mut self.encoder else {
                return Poll::Ready(self.trailers.take().map(Ok));
            };
            if !self.waiting.is_empty() {
                let piece = self.waiting.split_to(self.waiting.len().min(PIECE));
                encoder.write(&piece)?;
                self.is_dirty = true;
                let coded = encoder.take();
                if !coded.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(coded.into()))));
                }
                continue;
            }
            match next() {
                Poll::Pending => {
                    if !std::mem::take(&mut self.is_dirty) || !self.flushes {
                        return Poll::Pending;
                    }
                    let coded = encoder.flush()?;
                    if coded.is_empty() {
                        return Poll::Pending;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(coded.into()))));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.waiting = data,
                    Err(trailers) => {
                        self.trailers = Some(trailers);
                        return self.finish();
                    }
                },
                Poll::Ready(None) => return self.finish(),
            }
        }
    }

    fn finish(&mut self) -> Poll<NextFrame> {
        self.room = None;
        let Some(encoder) = self.encoder.take() else { return Poll::Ready(None) };
        let rest = encoder.finish()?;
        Poll::Ready(Some(Ok(Frame::data(rest.into()))))
    }
}
