//! PINGs for a client that is silent.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::server::Connection;
use h2::{Ping, PingPong};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::tap::Tap;

/// The PINGs of one connection. Any byte of the client's is an answer.
#[derive(Default)]
pub(crate) struct KeepAlive {
    /// Made for the first PING, which most connections never need.
    pings: Option<PingPong>,
    /// Bytes that the client had sent in all when the last PING was sent.
    asked_at: Option<u64>,
}

impl KeepAlive {
    /// Whether a PING was sent and nothing has come since.
    pub(crate) fn is_waiting(&self, bytes_read: u64) -> bool {
        self.asked_at == Some(bytes_read)
    }

    pub(crate) fn ping<T>(&mut self, h2: &mut Connection<Tap<T>, Bytes>, bytes_read: u64)
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        self.asked_at = Some(bytes_read);
        if self.pings.is_none() {
            self.pings = h2.ping_pong();
        }
        let Some(pings) = &mut self.pings else { return };
        // The last PONG has to be taken before another PING can be sent. Nobody waits for it, because the tap sees every
        // byte of the client.
        let _: Poll<_> = pings.poll_pong(&mut Context::from_waker(Waker::noop()));
        // An error says that the last PING is not answered yet; it serves as well.
        let _ = pings.send_ping(Ping::opaque());
    }
}
