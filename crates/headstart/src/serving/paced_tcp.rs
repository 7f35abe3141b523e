//! A TCP connection of which the kernel holds unsent what takes it some milliseconds to send.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of a connection that the kernel may hold unsent. They lie below the scheduler and cannot be overtaken, so a late
/// urgent response waits for as much as stands here; at 10 Mbit/s 16 KiB are 13 ms.
const UNSENT_BYTES: u32 = 16 << 10;
/// The same of a connection that sends as much in [`QUICK_TIME`]: it is gone as soon, and takes fewer system calls.
const QUICK_UNSENT_BYTES: u32 = 256 << 10;
const QUICK_TIME: Duration = Duration::from_millis(10);

/// A TCP connection that a listener of tokio has accepted: what reads it and writes to it.
///
/// It is without Nagle's algorithm. On Linux the kernel takes no more than 16 KiB that it cannot send at once, so that what
/// is urgent is not behind what is not; and 256 KiB as long as the connection sends so much in 10 ms.
#[derive(Debug)]
pub struct PacedTcp {
    stream: TcpStream,
    pace: Pace,
}

impl PacedTcp {
    pub(super) fn new(stream: TcpStream) -> Self {
        // It works without these, if more slowly.
        let _ = stream.set_nodelay(true);
        limit_unsent(&stream, UNSENT_BYTES);
        Self { stream, pace: Pace { since: Instant::now(), bytes: 0, quick: false } }
    }

    fn wrote(&mut self, bytes: usize) {
        if let Some(quick) = self.pace.wrote(bytes, Instant::now) {
            limit_unsent(&self.stream, if quick { QUICK_UNSENT_BYTES } else { UNSENT_BYTES });
        }
    }
}

#[cfg(target_os = "linux")]
fn limit_unsent(stream: &TcpStream, bytes: u32) {
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(bytes);
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_: &TcpStream, _: u32) {}

/// How quickly a connection takes bytes.
#[derive(Debug)]
struct Pace {
    since: Instant,
    /// Bytes that it has taken since then.
    bytes: usize,
    quick: bool,
}

impl Pace {
    /// The connection took bytes. Returns whether it is quick, if that has changed.
    fn wrote(&mut self, bytes: usize, now: impl FnOnce() -> Instant) -> Option<bool> {
        self.bytes += bytes;
        if self.bytes < QUICK_UNSENT_BYTES as usize {
            return None;
        }
        let now = now();
        let quick = now.saturating_duration_since(self.since) < QUICK_TIME;
        let changed = quick != self.quick;
        *self = Pace { since: now, bytes: 0, quick };
        changed.then_some(quick)
    }
}

impl AsyncRead for PacedTcp {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for PacedTcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.wrote(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_quick_as_long_as_it_takes_much_in_little_time() {
        let began = Instant::now();
        let mut pace = Pace { since: began, bytes: 0, quick: false };
        let mut at = 0;
        let mut step = |millis: u64, bytes: usize| {
            at += millis;
            pace.wrote(bytes, || began + Duration::from_millis(at))
        };
        assert_eq!(step(5, 100 << 10), None, "too little to tell");
        assert_eq!(step(4, 200 << 10), Some(true));
        assert_eq!(step(2, 256 << 10), None, "it still is");
        assert_eq!(step(200, 256 << 10), Some(false), "10 Mbit/s");
        assert_eq!(step(10, 256 << 10), None);
        assert_eq!(step(9, 256 << 10), Some(true));
    }
}
