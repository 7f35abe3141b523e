//! A byte stream of which the first bytes were read already.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::writes_to_io::writes_to_io;

/// Yields the prefix, then what the stream yields.
pub(super) struct Prefixed<T> {
    prefix: Bytes,
    io: T,
}

impl<T: AsyncRead + Unpin> Prefixed<T> {
    /// Nothing was read yet.
    pub(super) fn none(io: T) -> Self {
        Prefixed { prefix: Bytes::new(), io }
    }

    /// The first byte, which stays to be read; `None` at the end of the stream.
    pub(super) async fn first(&mut self) -> io::Result<Option<u8>> {
        if self.prefix.is_empty() {
            let mut seen = BytesMut::with_capacity(1);
            (&mut self.io).take(1).read_buf(&mut seen).await?;
            self.prefix = seen.freeze();
        }
        Ok(self.prefix.first().copied())
    }

    /// Reads on while the stream begins as `expected` does; whether all of it came.
    pub(super) async fn begins_with(&mut self, expected: &[u8]) -> io::Result<bool> {
        let mut seen = BytesMut::from(&*std::mem::take(&mut self.prefix));
        while seen.len() < expected.len() && expected.starts_with(&seen) {
            let missing = expected.len() - seen.len();
            if (&mut self.io).take(missing as u64).read_buf(&mut seen).await? == 0 {
                break;
            }
        }
        self.prefix = seen.freeze();
        Ok(self.prefix.starts_with(expected))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Prefixed<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, into);
        }
        let count = self.prefix.len().min(into.remaining());
        into.put_slice(self.prefix.get(..count).unwrap_or_default());
        self.prefix.advance(count);
        Poll::Ready(Ok(()))
    }
}

writes_to_io!(Prefixed);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    /// Whether a stream of these parts begins with "PRI *", and all that it yields then.
    async fn check(parts: &[&str], expected: bool) {
        let (near, mut far) = tokio::io::duplex(64);
        let sent: Vec<String> = parts.iter().map(ToString::to_string).collect();
        let sender = tokio::spawn(async move {
            for part in sent {
                far.write_all(part.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        let mut stream = Prefixed::none(near);
        assert_eq!(stream.begins_with(b"PRI *").await.unwrap(), expected, "{parts:?}");
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, parts.concat(), "no byte is lost");
        sender.await.unwrap();
    }

    #[tokio::test]
    async fn a_prefix_is_recognised_in_pieces_and_no_byte_is_lost() {
        check(&["PRI * HTTP/2.0"], true).await;
        check(&["P", "RI", " *"], true).await;
        check(&["PRINT"], false).await;
        check(&["GET / HTTP/1.1"], false).await;
        check(&["PR"], false).await;
        check(&[], false).await;
    }
}
