//! A client over HTTP/1.1 that ends its side after a whole request still gets the answer (RFC 9112, section 9.6, speaks of
//! connections that are closed in halves).
//!
//! hyper takes the end of what a client says for its departure and drops the request, or, if it is told otherwise, never
//! learns that a client has left. Nobody can tell one from the other before something was written. So the end is
//! kept from hyper as long as an answer is under way and goes forward: a client that has left does not hold it for longer
//! than that.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::smuggling_guard::SmugglingGuard;
use crate::activity::Activity;

/// How long an answer may make no progress once its client has said all that it will.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection whose end is kept back while an answer is under way.
pub(super) struct HalfClose<T> {
    io: SmugglingGuard<T>,
    activity: Arc<Activity>,
    /// Whether something is written that was not flushed: hyper flushes when it has nothing more to write.
    is_writing: bool,
    /// Since the client has ended its side: the time for the answer to go forward.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<T> HalfClose<T> {
    /// `activity` counts the requests of this connection that are under way.
    pub(super) fn new(io: SmugglingGuard<T>, activity: Arc<Activity>) -> Self {
        HalfClose { io, activity, is_writing: false, patience: None }
    }

    /// Whether the client waits for an answer, and has said all of its requests and no part of another. hyper reads on
    /// before it hands a request over, so that those under way are not all.
    fn is_answering(&self) -> bool {
        self.io.whole_requests().is_some_and(|requests| self.is_writing || requests > self.activity.ended())
    }

    fn written(&mut self, polled: &Poll<io::Result<usize>>) {
        self.is_writing = true;
        if let (Some(patience), Poll::Ready(Ok(1..))) = (&mut self.patience, polled) {
            patience.as_mut().reset(Instant::now() + PATIENCE);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for HalfClose<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.patience.is_none() {
            let before = into.filled().len();
            let polled = Pin::new(&mut self.io).poll_read(cx, into);
            let is_end = matches!(polled, Poll::Ready(Ok(()))) && into.filled().len() == before && into.remaining() > 0;
            if !is_end || !self.is_answering() {
                return polled;
            }
        }
        if !self.is_answering() {
            return Poll::Ready(Ok(()));
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        patience.as_mut().poll(cx).map(Ok)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for HalfClose<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.written(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.written(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        if polled.is_ready() {
            self.is_writing = false;
            if self.patience.is_some() && !self.is_answering() {
                // Whoever waits to read is the one who has just written.
                cx.waker().wake_by_ref();
            }
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::time::timeout;

    use super::*;
    use crate::serving::granted::Granted;

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// A connection of which so much was said, and read, before the client ended its side.
    async fn said(text: &str, granted: Granted) -> (HalfClose<DuplexStream>, DuplexStream, Arc<Activity>) {
        let (near, mut far) = tokio::io::duplex(1024);
        let activity = Arc::new(Activity::new(std::time::Instant::now()));
        let mut io = HalfClose::new(SmugglingGuard::new(near, granted), Arc::clone(&activity));
        far.write_all(text.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        io.read_exact(&mut vec![0; text.len()]).await.unwrap();
        (io, far, activity)
    }

    /// Seconds until the end is read.
    async fn seconds_to_the_end(io: &mut HalfClose<DuplexStream>) -> u64 {
        let began = Instant::now();
        assert_eq!(timeout(Duration::from_secs(100), io.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_kept_back_while_an_answer_goes_forward() {
        let (mut io, mut far, activity) = said(REQUEST, Granted::default()).await;
        activity.begin();
        for _ in 0..10 {
            let early = timeout(Duration::from_secs(4), io.read(&mut [0; 8])).await;
            assert!(early.is_err(), "{early:?}");
            io.write_all(b"part").await.unwrap();
            io.flush().await.unwrap();
        }
        assert_eq!(seconds_to_the_end(&mut io).await, 5, "it no longer goes forward");
        assert_eq!(seconds_to_the_end(&mut io).await, 0);
        far.read_exact(&mut [0; 40]).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_answer_the_end_is_read_at_once() {
        let (mut io, _far, activity) = said(REQUEST, Granted::default()).await;
        activity.begin();
        assert!(timeout(Duration::from_secs(1), io.read(&mut [0; 8])).await.is_err());
        io.write_all(b"answer").await.unwrap();
        activity.end();
        assert!(timeout(Duration::from_secs(1), io.read(&mut [0; 8])).await.is_err(), "the answer is not out");
        io.flush().await.unwrap();
        assert_eq!(seconds_to_the_end(&mut io).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_cuts_something_off_is_read_at_once() {
        let (mut io, _far, _) = said("", Granted::default()).await;
        assert_eq!(seconds_to_the_end(&mut io).await, 0, "nothing was asked for");
        for cut in ["POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", "GET / HTTP/1.1\r\n\r\nGET / HT"] {
            let (mut io, _far, activity) = said(cut, Granted::default()).await;
            activity.begin();
            assert_eq!(seconds_to_the_end(&mut io).await, 0, "{cut}");
        }
        let granted = Granted::default();
        granted.set();
        let (mut io, _far, activity) = said("a tunnel", granted).await;
        activity.begin();
        assert_eq!(seconds_to_the_end(&mut io).await, 0);
    }
}
