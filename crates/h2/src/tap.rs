//! The I/O wrapper under `h2`: reads the frames that go by and holds the read barrier.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::Walker;
use crate::outbox::{OUTBOX_BYTES, Outbox};
use crate::wire::Wire;

/// `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n` (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;

/// Sits between the socket and `h2`. Passes every byte on unchanged; only delays reads while a promise is being
/// written ([`Wire::barrier_closed`]), and writes until there is nothing to add
/// ([`Socket::gathers`](crate::socket::Socket::gathers)).
#[derive(Debug)]
pub(crate) struct Tap<T> {
    io: T,
    wire: Arc<Wire>,
    preface_left: usize,
    inbound: Walker,
    outbound: Walker,
    gathered: Gathered,
}

/// The buffer that gathers writes until they are flushed.
#[derive(Debug)]
enum Gathered {
    /// In our own outbox.
    Outbox(Outbox),
    /// In the buffer of the I/O below, which holds this many bytes that were not flushed.
    Below(usize),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Gathered::Outbox(outbox) => outbox.len(),
            Gathered::Below(bytes) => *bytes,
        }
    }
}

impl<T> Tap<T> {
    /// `buffered` as in [`Config::buffered_io`](crate::Config::buffered_io).
    pub(crate) fn new(io: T, buffered: bool) -> (Self, Arc<Wire>) {
        let wire = Arc::new(Wire::new());
        let tap = Tap {
            io,
            wire: Arc::clone(&wire),
            preface_left: PREFACE_BYTES,
            inbound: Walker::default(),
            outbound: Walker::default(),
            gathered: if buffered { Gathered::Below(0) } else { Gathered::Outbox(Outbox::default()) },
        };
        (tap, wire)
    }

    fn received(&mut self, bytes: &[u8]) {
        self.wire.read(bytes.len());
        let preface = self.preface_left.min(bytes.len());
        self.preface_left -= preface;
        let bytes = bytes.get(preface..).unwrap_or_default();
        self.inbound.walk(bytes, |event| self.wire.inbound(event));
        self.wire.fed(self.inbound.position());
    }

    /// Walks bytes that `h2` has written.
    fn passed<'a>(&mut self, slices: impl Iterator<Item = &'a [u8]>, mut count: usize) {
        for slice in slices {
            let part = slice.get(..count.min(slice.len())).unwrap_or_default();
            count -= part.len();
            self.outbound.walk(part, |event| self.wire.outbound(event));
            if count == 0 {
                break;
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> Tap<T> {
    fn put(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.gathered.len() >= OUTBOX_BYTES {
            ready!(self.drain(cx))?;
        }
        let parts = || slices.iter().map(|slice| &**slice);
        let count = match &mut self.gathered {
            Gathered::Outbox(outbox) => outbox.put(parts()),
            Gathered::Below(bytes) => {
                let Poll::Ready(count) = Pin::new(&mut self.io).poll_write_vectored(cx, slices)? else {
                    self.wire.socket.could_not_write();
                    return Poll::Pending;
                };
                *bytes += count;
                count
            }
        };
        self.wire.socket.holds(self.gathered.len());
        self.passed(parts(), count);
        Poll::Ready(Ok(count))
    }

    /// Writes what was gathered, until the socket is full.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = &self.wire.socket;
        let result = match &mut self.gathered {
            Gathered::Outbox(outbox) => outbox.poll_drain(&mut self.io, cx, |count| socket.wrote(count)),
            Gathered::Below(bytes) => {
                let flushed = Pin::new(&mut self.io).poll_flush(cx);
                if matches!(flushed, Poll::Ready(Ok(()))) {
                    socket.wrote(std::mem::take(bytes));
                }
                flushed
            }
        };
        socket.holds(self.gathered.len());
        if result.is_pending() {
            socket.could_not_write();
        }
        result
    }
}

impl<T> Tap<T> {
    /// Notes the result of flushing the I/O: a writer with a buffer of its own, such as TLS, may still hold bytes that it
    /// took.
    fn emptied(&self, result: &Poll<io::Result<()>>) {
        match result {
            Poll::Pending => self.wire.socket.could_not_write(),
            Poll::Ready(Ok(())) => self.wire.socket.flushed(),
            Poll::Ready(Err(_)) => {}
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        if tap.wire.barrier_closed() {
            tap.wire.wait_for_barrier(cx.waker());
            tap.wire.ran_dry();
            return Poll::Pending;
        }
        if tap.wire.meter.is_over() {
            // The driver runs at once, and ends the connection or allows more.
            cx.waker().wake_by_ref();
            tap.wire.ran_dry();
            return Poll::Pending;
        }
        if tap.wire.socket.asleep() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut tap.io).poll_read(cx, buf);
        tap.wire.socket.set_asleep(result.is_pending());
        match buf.filled().get(before..) {
            Some(bytes) if result.is_ready() && !bytes.is_empty() => tap.received(bytes),
            _ => tap.wire.ran_dry(),
        }
        result
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().put(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().put(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// `h2` flushes after each frame. While the driver gathers, flushing does nothing.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        if tap.wire.socket.gathers() {
            return Poll::Ready(Ok(()));
        }
        ready!(tap.drain(cx))?;
        let result = Pin::new(&mut tap.io).poll_flush(cx);
        tap.emptied(&result);
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        ready!(tap.drain(cx))?;
        let result = Pin::new(&mut tap.io).poll_shutdown(cx);
        tap.emptied(&result);
        result
    }
}
