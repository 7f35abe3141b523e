//! A body that is encoded while it is passed on.

use std::io;
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
    room: Option<Room>,
    plain: Plain,
    trailers: Option<Frame<Bytes>>,
}

/// What has come and is not in the coded body yet.
enum Plain {
    /// A short content is encoded at once when all of it is there: then one encoder, which stays in the caches of the
    /// processor, serves many responses.
    Whole(Vec<Bytes>),
    Stream(Stream),
}

struct Stream {
    encoder: Option<Encoder>,
    /// Bytes that came and were not encoded yet.
    waiting: Bytes,
    /// Bytes were written since the last flush.
    is_dirty: bool,
}

impl Recoder {
    /// Of a content that comes at once, and is that short.
    pub(super) fn whole(room: Room) -> Self {
        Recoder { room: Some(room), plain: Plain::Whole(Vec::new()), trailers: None }
    }

    /// Of any other: what has come is sent as soon as nothing follows at once.
    pub(super) fn stream(room: Room) -> Self {
        let stream = Stream { encoder: None, waiting: Bytes::new(), is_dirty: false };
        Recoder { room: Some(room), plain: Plain::Stream(stream), trailers: None }
    }

    /// Whether nothing follows.
    pub(crate) fn is_end(&self) -> bool {
        self.room.is_none() && self.trailers.is_none()
    }

    /// The next part of the coded body; `next` has the next of the plain one.
    pub(crate) fn poll_frame(&mut self, mut next: impl FnMut() -> Poll<NextFrame>) -> Poll<NextFrame> {
        loop {
            let Some(room) = &self.room else {
                return Poll::Ready(self.trailers.take().map(Ok));
            };
            if let Plain::Stream(stream) = &mut self.plain
                && !stream.waiting.is_empty()
            {
                let coded = stream.encode(room)?;
                if !coded.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(coded.into()))));
                }
                continue;
            }
            match next() {
                Poll::Pending => {
                    let coded = match &mut self.plain {
                        Plain::Whole(_) => return Poll::Pending,
                        Plain::Stream(stream) => stream.flush()?,
                    };
                    if coded.is_empty() {
                        return Poll::Pending;
                    }
                    return Poll::Ready(Some(Ok(Frame::data(coded.into()))));
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => match &mut self.plain {
                        Plain::Whole(pieces) => pieces.push(data),
                        Plain::Stream(stream) => stream.waiting = data,
                    },
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
        let Some(room) = self.room.take() else { return Poll::Ready(None) };
        let (mut encoder, pieces) = match &mut self.plain {
            Plain::Whole(pieces) => (room.encoder()?, std::mem::take(pieces)),
            Plain::Stream(stream) => (stream.encoder.take().map_or_else(|| room.encoder(), Ok)?, Vec::new()),
        };
        if let Plain::Whole(_) = &self.plain {
            encoder.expect(pieces.iter().map(|piece| piece.len() as u64).sum())?;
            pieces.iter().try_for_each(|piece| encoder.write(piece))?;
        }
        let rest = encoder.finish()?;
        room.keep(encoder);
        Poll::Ready(Some(Ok(Frame::data(rest.into()))))
    }
}

impl Stream {
    /// Encodes a part of what waits; returns what came out.
    fn encode(&mut self, room: &Room) -> io::Result<Vec<u8>> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            none => none.insert(room.encoder()?),
        };
        encoder.write(&self.waiting.split_to(self.waiting.len().min(PIECE)))?;
        self.is_dirty = true;
        Ok(encoder.take())
    }

    /// What came out of what was written since the last flush.
    fn flush(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.encoder {
            Some(encoder) if std::mem::take(&mut self.is_dirty) => encoder.flush(),
            _ => Ok(Vec::new()),
        }
    }
}
