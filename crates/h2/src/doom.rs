//! The end of a connection whose client broke a rule or went too far.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::Connection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use crate::error::Error;
use crate::tap::Tap;

/// How long the client has to take the GOAWAY.
const GRACE: Duration = Duration::from_secs(1);

/// A connection that was told to go, with this code.
#[derive(Debug)]
pub(crate) struct Doom {
    code: Reason,
    at: Instant,
}

impl Doom {
    pub(crate) fn new(code: Reason, now: Instant) -> Self {
        Doom { code, at: now + GRACE }
    }

    /// Writes the GOAWAY; done when it is out, or was not taken in time.
    pub(crate) fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        h2: &mut Connection<Tap<T>, Bytes>,
        mut timer: Pin<&mut Sleep>,
        now: Instant,
    ) -> Poll<Result<(), Error>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let over = Poll::Ready(Err(Error::go_away(self.code)));
        loop {
            match h2.poll_accept(cx) {
                // What came in before: dropping it resets it.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return over,
                Poll::Pending => break,
            }
        }
        if self.at <= now {
            return over;
        }
        timer.as_mut().reset(self.at);
        if timer.poll(cx).is_ready() { over } else { Poll::Pending }
    }
}
