//! Dynamic TLS record sizes: small records at the start of a connection.
//!
//! Bytes that are written at once, such as a DATA frame, become a record of up to 16 KiB, and a client reads nothing of a record
//! before it has all of it. TCP begins with ten segments, 14 KB (RFC 6928): the first record would end in the second flight,
//! and with it a 103 and the first bytes of a page would be read a round trip after they arrived. So what goes out first is
//! written in pieces.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Three segments a record, which costs 22 bytes.
const PIECE_BYTES: usize = 4 << 10;
/// Until the window is some four times that of the start.
const EARLY_BYTES: usize = 64 << 10;

/// A TLS stream.
pub(crate) struct DynamicRecords<T> {
    tls: T,
    /// Bytes that are still to go in pieces.
    early: usize,
}

impl<T> DynamicRecords<T> {
    pub(crate) fn new(tls: T) -> Self {
        DynamicRecords { tls, early: EARLY_BYTES }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for DynamicRecords<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = if self.early == 0 { bytes.len() } else { bytes.len().min(PIECE_BYTES) };
        let written = ready!(Pin::new(&mut self.tls).poll_write(cx, bytes.get(..most).unwrap_or_default()))?;
        self.early = self.early.saturating_sub(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.early == 0 {
            return Pin::new(&mut self.tls).poll_write_vectored(cx, slices);
        }
        let mut left = PIECE_BYTES;
        let cut = |slice| {
            let slice: &IoSlice<'_> = slice;
            let part = slice.get(..left.min(slice.len())).unwrap_or_default();
            left -= part.len();
            IoSlice::new(part)
        };
        let piece: Vec<IoSlice<'_>> = slices.iter().map(cut).collect();
        let written = ready!(Pin::new(&mut self.tls).poll_write_vectored(cx, &piece))?;
        self.early = self.early.saturating_sub(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(cx)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for DynamicRecords<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    /// The sizes of the writes.
    struct Sizes(Vec<usize>);

    impl AsyncWrite for Sizes {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.push(bytes.len());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all = slices.iter().map(|slice| slice.len()).sum();
            self.0.push(all);
            Poll::Ready(Ok(all))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_piece_may_be_of_several_parts() {
        let mut stream = DynamicRecords::new(Sizes(Vec::new()));
        let cx = &mut Context::from_waker(Waker::noop());
        let (head, body) = ([0; 9], [0; 16 << 10]);
        let parts = [&head[..], &body, &head].map(IoSlice::new);
        let written = Pin::new(&mut stream).poll_write_vectored(cx, &parts);
        assert!(matches!(written, Poll::Ready(Ok(PIECE_BYTES))), "{written:?}");
    }

    #[test]
    fn the_start_goes_in_pieces_and_the_rest_at_once() {
        let mut stream = DynamicRecords::new(Sizes(Vec::new()));
        let cx = &mut Context::from_waker(Waker::noop());
        let much = vec![0; EARLY_BYTES + 50_000];
        let mut sent = 0;
        while sent < much.len() {
            let Poll::Ready(Ok(count)) = Pin::new(&mut stream).poll_write(cx, &much[sent..]) else { panic!() };
            sent += count;
        }
        let Sizes(sizes) = stream.tls;
        assert_eq!(sizes.len(), EARLY_BYTES / PIECE_BYTES + 1);
        assert_eq!((sizes[0], sizes.last()), (PIECE_BYTES, Some(&50_000)));
    }
}
