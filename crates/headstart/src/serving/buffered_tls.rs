//! TLS that encrypts at once and sends when it is flushed.

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

/// Most encrypted bytes that are kept unsent: 64 KiB of frames, as the driver gathers, with what TLS adds to them.
const BUFFER_BYTES: usize = 66 << 10;

/// A TLS connection whose writes cost no system call until it is flushed or [`BUFFER_BYTES`] wait. `tokio-rustls` by
/// itself sends after each write; to write seldom, what is sent would have to be gathered, and copied, before.
#[derive(Debug)]
pub(crate) struct BufferedTls<T>(TlsStream<T>);

impl<T> BufferedTls<T> {
    pub(crate) fn new(mut stream: TlsStream<T>) -> Self {
        stream.get_mut().1.set_buffer_limit(Some(BUFFER_BYTES));
        Self(stream)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for BufferedTls<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for BufferedTls<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let taken = self.0.get_mut().1.writer().write_vectored(slices)?;
            if taken > 0 || slices.iter().all(|slice| slice.is_empty()) {
                return Poll::Ready(Ok(taken));
            }
            ready!(self.as_mut().poll_flush(cx))?;
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
