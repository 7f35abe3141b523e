//! Asks a client that says nothing whether it is there.

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
    /// What the client had sent in all, bytes, when it was asked.
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
        // The answer to the last one has to be taken before there can be another. Nobody waits for it: what
        // comes from the client is seen by the tap.
        let _: Poll<_> = pings.poll_pong(&mut Context::from_waker(Waker::noop()));
        // One that is not answered yet stands for this one.
        let _ = pings.send_ping(Ping::opaque());
    }
}
