//! A stream that can be taken back from whoever owns it.
//!
//! hyper gives the stream of a request that asked for a change of protocol to whoever holds that request, even if the
//! change was refused and the connection is over: an application that keeps its requests would keep connections.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The stream until it is taken back; after that it is at its end. One task uses it at a time, so its lock is free.
pub(super) struct Closable<T>(Arc<Mutex<Option<T>>>);

/// Takes a stream back.
pub(super) struct Closer<T>(Arc<Mutex<Option<T>>>);

impl<T> Closable<T> {
    pub(super) fn new(io: T) -> (Self, Closer<T>) {
        let io = Arc::new(Mutex::new(Some(io)));
        (Closable(Arc::clone(&io)), Closer(io))
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this with the stream, unless it was taken back.
    fn with<V>(
        &self,
        taken_back: io::Result<V>,
        poll: impl FnOnce(&mut T) -> Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        self.lock().as_mut().map_or(Poll::Ready(taken_back), poll)
    }
}

impl<T> Closer<T> {
    /// The stream, unless it is gone.
    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn is_over<V>() -> io::Result<V> {
    Err(io::ErrorKind::BrokenPipe.into())
}

impl<T: AsyncRead + Unpin> AsyncRead for Closable<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(Ok(()), |io| Pin::new(io).poll_read(cx, into))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Closable<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(is_over(), |io| Pin::new(io).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(is_over(), |io| Pin::new(io).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(is_over(), |io| Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(Ok(()), |io| Pin::new(io).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn what_is_taken_back_ends_for_who_holds_it() {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut io, closer) = Closable::new(near);
        io.write_all(b"hello").await.unwrap();
        drop(closer.take());
        assert_eq!(io.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(io.write_all(b"more").await.is_err());
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
        assert!(closer.take().is_none());
    }
}
