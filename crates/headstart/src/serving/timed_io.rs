//! Timeouts of a byte stream: the peer's first byte, and a write that makes no progress.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a peer may take.
#[derive(Clone, Copy)]
pub(crate) struct IoTimeouts {
    /// For its first byte. hyper's own time for a head begins with that.
    pub(crate) first_read: Duration,
    /// For a write to make progress.
    pub(crate) write: Duration,
}

/// Fails a first read and each write that take too long; holds `K` as long as the stream lives.
pub(crate) struct TimedIo<T, K> {
    inner: T,
    write: Duration,
    /// Runs until the peer has said something.
    silence: Option<Pin<Box<Sleep>>>,
    /// Runs while a write is pending.
    timer: Option<Pin<Box<Sleep>>>,
    _kept: K,
}

impl<T, K> TimedIo<T, K> {
    pub(crate) fn new(inner: T, timeouts: IoTimeouts, kept: K) -> Self {
        let silence = Some(Box::pin(sleep(timeouts.first_read)));
        TimedIo { inner, write: timeouts.write, silence, timer: None, _kept: kept }
    }

    /// Passes on what the stream says of a write, unless it says "later" for too long.
    fn watch<V>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<V>>) -> Poll<io::Result<V>> {
        if result.is_ready() {
            self.timer = None;
            return result;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.write)));
        timer.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
    }
}

impl<T: AsyncRead + Unpin, K: Unpin> AsyncRead for TimedIo<T, K> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if result.is_ready() {
            self.silence = None;
        }
        let Some(silence) = &mut self.silence else { return result };
        silence.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client says nothing")))
    }
}

impl<T: AsyncWrite + Unpin, K: Unpin> AsyncWrite for TimedIo<T, K> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watch(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.watch(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

    fn timed<T>(inner: T) -> TimedIo<T, ()> {
        TimedIo::new(inner, IoTimeouts { first_read: Duration::from_secs(10), write: WRITE_TIMEOUT }, ())
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(10);
        let began = Instant::now();
        assert_eq!(timed(near).read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_said_something_may_be_silent() {
        let (near, mut far) = tokio::io::duplex(10);
        let mut near = timed(near);
        far.write_u8(1).await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), 1);
        let more = tokio::time::timeout(Duration::from_secs(3600), near.read_u8()).await;
        assert!(more.is_err(), "{more:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_reads_is_given_up() {
        let (near, _far) = tokio::io::duplex(10);
        let began = Instant::now();
        let error = timed(near).write_all(&[0; 11]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, WRITE_TIMEOUT));
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_not() {
        let (near, mut far) = tokio::io::duplex(10);
        let reader = tokio::spawn(async move {
            let mut bytes = [0; 10];
            while far.read(&mut bytes).await.unwrap() > 0 {
                tokio::time::sleep(WRITE_TIMEOUT.mul_f32(0.9)).await;
            }
        });
        let mut near = timed(near);
        near.write_all(&[0; 100]).await.unwrap();
        drop(near);
        reader.await.unwrap();
    }
}
