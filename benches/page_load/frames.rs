//! Counts the DATA that a client receives, stream by stream, as it comes by.
//!
//! A client of the `h2` crate does not show what comes on a stream that it has cancelled; the frames do.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Frames and bytes received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Bytes of DATA by stream, padding included.
    pub(crate) data: HashMap<u32, u64>,
    /// When the last of it came.
    pub(crate) last: Option<Instant>,
    header: Vec<u8>,
    /// Bytes left of the current frame.
    rest: usize,
}

const HEADER_BYTES: usize = 9;
const DATA: u8 = 0;

impl Received {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let missing = (HEADER_BYTES - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            // RFC 9113, section 4.1.
            if let &[a, b, c, kind, _, s, t, u, v] = self.header.as_slice() {
                self.rest = u32::from_be_bytes([0, a, b, c]) as usize;
                if kind == DATA {
                    let stream = u32::from_be_bytes([s & 0x7f, t, u, v]);
                    *self.data.entry(stream).or_default() += self.rest as u64;
                    self.last = Some(Instant::now());
                }
                self.header.clear();
            }
        }
    }
}

/// A connection whose incoming frames are counted.
pub(crate) struct Counted<T> {
    io: T,
    received: Rc<RefCell<Received>>,
}

impl<T> Counted<T> {
    pub(crate) fn new(io: T) -> (Self, Rc<RefCell<Received>>) {
        let received = Rc::<RefCell<Received>>::default();
        (Self { io, received: Rc::clone(&received) }, received)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.received.borrow_mut().take(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_counted_however_it_is_cut() {
        let mut wire = vec![0, 0, 5, DATA, 1, 0, 0, 0, 2];
        wire.extend(b"hello");
        wire.extend([0, 0, 2, 1, 4, 0, 0, 0, 3, 0x88, 0x88]);
        wire.extend([0, 0, 3, DATA, 0, 0, 0, 0, 2, 1, 2, 3]);
        for step in [1, 4, 9, 100] {
            let mut received = Received::default();
            wire.chunks(step).for_each(|piece| received.take(piece));
            assert_eq!(received.data, HashMap::from([(2, 8)]), "in steps of {step}");
        }
    }
}
