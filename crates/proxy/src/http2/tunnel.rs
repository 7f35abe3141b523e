//! A stream that carries another protocol (RFC 8441), as something to read from and write to.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::SendStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Http2Body;

/// Bytes written at once.
const MAX_WRITE: usize = 16 << 10;

/// Both directions of a tunnel.
pub(crate) struct TunnelStream {
    body: Http2Body,
    unread: Bytes,
    send: SendStream<Bytes>,
}

impl TunnelStream {
    /// The stream of a response as a tunnel, if it was opened as one.
    pub(crate) fn open(mut body: Http2Body) -> Option<Self> {
        let send = body.take_sender()?;
        Some(TunnelStream { body, unread: Bytes::new(), send })
    }
}

impl AsyncRead for TunnelStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(self.body.poll_frame(cx)) {
                Some(Ok(frame)) => self.unread = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let bytes = self.unread.len().min(into.remaining());
        into.put_slice(&self.unread.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TunnelStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, mut bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.send.reserve_capacity(bytes.len().min(MAX_WRITE));
        while self.send.capacity() == 0 {
            match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let capacity = self.send.capacity().min(bytes.len());
        let piece = bytes.copy_to_bytes(capacity);
        self.send.send_data(piece, false).map_err(io::Error::other)?;
        Poll::Ready(Ok(capacity))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Fails only where the stream has ended already.
        let _ = self.send.send_data(Bytes::new(), true);
        Poll::Ready(Ok(()))
    }
}
