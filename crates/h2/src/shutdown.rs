//! How far a connection is on its way to its end.

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

/// How long the client has to take the GOAWAY that ends its connection.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the connection is being closed (RFC 9113, section 6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// It is not.
    No,
    /// No new streams are taken, and open ones are finished.
    Graceful,
    /// The client broke a rule or a limit: the connection ends as soon as a GOAWAY with this code is written.
    GoAway(GoAway),
}

/// The error code of a GOAWAY, and when the connection ends at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GoAway {
    code: Reason,
    deadline: Instant,
}

impl Shutdown {
    /// Begins a graceful shutdown, unless the connection is being closed already. Returns whether it began.
    pub(crate) fn begin_graceful(&mut self) -> bool {
        let begins = *self == Shutdown::No;
        if begins {
            *self = Shutdown::Graceful;
        }
        begins
    }

    /// Begins to end the connection with this code. Returns `false` if it is ending already.
    pub(crate) fn go_away(&mut self, code: Reason, now: Instant) -> bool {
        if matches!(self, Shutdown::GoAway(_)) {
            return false;
        }
        *self = Shutdown::GoAway(GoAway { code, deadline: now + GRACE });
        true
    }
}

impl GoAway {
    /// Writes the GOAWAY. Ready when it is written, or was not taken in time.
    pub(crate) fn poll<T>(
        self,
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
                // Dropping a request that arrived before resets its stream.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return over,
                Poll::Pending => break,
            }
        }
        if self.deadline <= now {
            return over;
        }
        timer.as_mut().reset(self.deadline);
        if timer.poll(cx).is_ready() { over } else { Poll::Pending }
    }
}
