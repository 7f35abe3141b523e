//! The body of a response: nothing, bytes in memory, or pieces of memory and file in turn.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use super::memory_budget::{BUDGET, MemoryBudget};
use super::open_files::OpenFile;

/// A file is read this much at a time, on the pool of threads that may wait, and less if much is in memory ([`MemoryBudget`]).
/// 64 KiB is four HTTP/2 frames of the default size; one piece is held in memory for each response under way.
const PIECE: u64 = 64 * 1024;

/// The first piece is one HTTP/2 frame: a client that opens its window by a byte makes the server hold no more. A
/// hundred streams on each of a hundred connections would hold 640 MB of larger ones.
const FIRST_PIECE: u64 = 16 * 1024;

/// A response body whose length is known from the start.
///
/// It fails, which resets the stream, if the file behind it shrinks while it is sent, or is written to though its tag is a
/// strong one.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Empty,
    Full(Bytes),
    Pieces(Box<Pieces>),
}

/// The source of one stretch of a body.
#[derive(Debug)]
pub(super) enum Segment {
    Memory(Bytes),
    File(Arc<OpenFile>, Range<u64>),
}

#[derive(Debug)]
struct Pieces {
    segments: VecDeque<Segment>,
    remaining: u64,
    /// The length of the piece that is read next.
    next: u64,
    budget: &'static MemoryBudget,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Body {
    pub(super) fn empty() -> Self {
        Self(Kind::Empty)
    }

    pub(super) fn full(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Full(bytes) })
    }

    pub(super) fn pieces(segments: VecDeque<Segment>) -> Self {
        Self::pieces_in(&BUDGET, segments)
    }

    fn pieces_in(budget: &'static MemoryBudget, segments: VecDeque<Segment>) -> Self {
        let remaining = segments.iter().map(Segment::len).sum();
        Self(if remaining == 0 {
            Kind::Empty
        } else {
            Kind::Pieces(Box::new(Pieces { segments, remaining, next: FIRST_PIECE, budget, reading: None }))
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = match std::mem::replace(&mut self.0, Kind::Empty) {
            Kind::Empty => None,
            Kind::Full(bytes) => Some(Ok(bytes)),
            Kind::Pieces(mut pieces) => {
                let polled = pieces.poll_next(cx);
                // An error ends the body; so does its last byte.
                if polled.is_pending() || matches!(&polled, Poll::Ready(Some(Ok(_))) if pieces.remaining > 0) {
                    self.0 = Kind::Pieces(pieces);
                }
                ready!(polled)
            }
        };
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Kind::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Kind::Empty => 0,
            Kind::Full(bytes) => bytes.len() as u64,
            Kind::Pieces(pieces) => pieces.remaining,
        })
    }
}

impl Segment {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, range) => range.end.saturating_sub(range.start),
        }
    }
}

impl Pieces {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                return Poll::Ready(Some(self.sent(read.unwrap_or_else(|stopped| Err(io::Error::other(stopped))))));
            }
            match self.segments.front_mut() {
                None => return Poll::Ready(None),
                Some(Segment::Memory(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    self.segments.pop_front();
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(self.sent(Ok(bytes))));
                    }
                }
                Some(Segment::File(_, range)) if range.start >= range.end => {
                    self.segments.pop_front();
                }
                Some(Segment::File(file, range)) => {
                    let reservation = self.budget.take(self.next.min(range.end - range.start));
                    self.next = PIECE;
                    let start = range.start;
                    range.start += reservation.bytes();
                    let file = Arc::clone(file);
                    self.reading = Some(tokio::task::spawn_blocking(move || file.read(start, reservation)));
                }
            }
        }
    }

    fn sent(&mut self, piece: io::Result<Bytes>) -> io::Result<Bytes> {
        let piece = piece?;
        self.remaining = self.remaining.saturating_sub(piece.len() as u64);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    /// The pieces of a file of 100,000 bytes.
    async fn pieces(budget: &'static MemoryBudget) -> Vec<Bytes> {
        let path = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..100_000_u32).map(|at| (at / 7) as u8).collect();
        std::fs::write(path.path(), &content).unwrap();
        let file = OpenFile::alone(std::fs::File::open(path.path()).unwrap());
        let mut body = Body::pieces_in(budget, VecDeque::from([Segment::File(file, 0..100_000)]));
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
        }
        assert!(http_body::Body::is_end_stream(&body) && pieces.concat() == content);
        pieces
    }

    #[tokio::test]
    async fn the_first_piece_is_a_small_one() {
        let budget = Box::leak(Box::new(MemoryBudget::new()));
        let lengths: Vec<_> = pieces(budget).await.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [16_384, 65_536, 18_080]);
    }

    #[tokio::test]
    async fn pieces_are_small_while_much_is_in_memory() {
        let budget: &'static MemoryBudget = Box::leak(Box::new(MemoryBudget::new()));
        let much = budget.take(8 << 20);
        assert!(pieces(budget).await.iter().all(|piece| piece.len() <= 4096));
        drop(much);
        assert!(pieces(budget).await.iter().any(|piece| piece.len() == 65_536));
    }
}
