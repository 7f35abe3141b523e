//! Uploads that nobody read to the end.
//!
//! When a service answers without reading the request's body, `h2` resets the stream with NO_ERROR as soon as the body is
//! dropped. RFC 9113, section 8.1, allows it, but curl 7.88 reports a failure of the whole exchange, although the response
//! is complete. So the rest of a body is read and discarded, within limits.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use atomic_waker::AtomicWaker;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::RecvStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes of one upload that are discarded at most; then its stream is reset.
const MAX_BYTES: usize = 256 << 10;
/// Time after which the stream is reset.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Takes the streams of request bodies that were dropped unread; they may be dropped on another task.
#[derive(Debug, Default)]
pub(crate) struct UnreadUploads {
    left: Mutex<Vec<RecvStream>>,
    /// Bodies that have not ended and that somebody holds.
    open: AtomicUsize,
    driver: AtomicWaker,
}

impl UnreadUploads {
    /// A body was given to the service.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended, or was dropped.
    pub(crate) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.driver.wake();
    }

    /// Whether the service holds a body: it may read on after it has answered.
    pub(crate) fn any_open(&self) -> bool {
        self.open.load(Ordering::Acquire) > 0
    }

    /// Called when a body is dropped; bounded by the streams that a client may have open.
    pub(crate) fn leave(&self, stream: RecvStream) {
        if let Ok(mut left) = self.left.lock() {
            left.push(stream);
            self.driver.wake();
        }
    }
}

/// The driver's part: reads and discards.
#[derive(Default)]
pub(crate) struct Draining {
    streams: FuturesUnordered<Drain>,
}

impl Draining {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, unread: &UnreadUploads, now: Instant) {
        unread.driver.register(cx.waker());
        if let Ok(mut left) = unread.left.lock() {
            for stream in left.drain(..) {
                self.streams.push(Drain { stream, room: MAX_BYTES, patience: Box::pin(sleep_until(now + MAX_WAIT)) });
            }
        }
        while let Poll::Ready(Some(())) = self.streams.poll_next_unpin(cx) {}
    }
}

/// Ready when the client has ended the upload or a limit is reached; dropping the stream then resets it.
struct Drain {
    stream: RecvStream,
    room: usize,
    patience: Pin<Box<Sleep>>,
}

impl Future for Drain {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.patience.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let Some(Ok(data)) = ready!(self.stream.poll_data(cx)) else {
                return Poll::Ready(());
            };
            let _ = self.stream.flow_control().release_capacity(data.len());
            match self.room.checked_sub(data.len()) {
                Some(room) => self.room = room,
                None => return Poll::Ready(()),
            }
        }
    }
}
