//! The one timer of a connection: it is armed for the earliest of what could run out, and re-armed when it fires.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::error::Timeout;
use crate::wire::Wire;

/// How long a closing idle connection waits for the client's part in closing.
const LINGER: Duration = Duration::from_secs(5);

/// Since when each condition holds; `None` while it does not.
#[derive(Debug)]
pub(crate) struct Timers {
    idle_since: Option<Instant>,
    header_since: Option<Instant>,
    stalled_since: Option<Instant>,
    bytes_written: u64,
    closing_since: Option<Instant>,
    earliest: Option<(Instant, Fired)>,
}

/// What a timer says when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Give the connection up.
    Error(Timeout),
    /// Close it in good order.
    Idle,
    /// It was closed in good order and the client does not go.
    Linger,
}

impl Timers {
    pub(crate) fn new(now: Instant) -> Self {
        Timers {
            idle_since: Some(now),
            header_since: None,
            stalled_since: None,
            bytes_written: 0,
            closing_since: None,
            earliest: None,
        }
    }

    /// Takes in the state of the connection after it was driven.
    pub(crate) fn observe(&mut self, wire: &Wire, config: &Config, now: Instant, idle: bool, stalled: bool) {
        let hold = |since: &mut Option<Instant>, holds: bool| {
            *since = if holds { since.or(Some(now)) } else { None };
        };
        hold(&mut self.idle_since, idle);
        hold(&mut self.header_since, wire.request_unfinished());
        // Any byte that the client takes is progress.
        if wire.bytes_written() != self.bytes_written {
            self.bytes_written = wire.bytes_written();
            self.stalled_since = None;
        }
        hold(&mut self.stalled_since, stalled);
        let due = |since: Option<Instant>, after: Duration, fired| since.map(|since| (since + after, fired));
        let idle = match self.closing_since {
            None => due(self.idle_since, config.idle_timeout, Fired::Idle),
            Some(_) => due(self.idle_since.and(self.closing_since), LINGER, Fired::Linger),
        };
        self.earliest = [
            due(self.header_since, config.header_timeout, Fired::Error(Timeout::Header)),
            due(self.stalled_since, config.write_stall_timeout, Fired::Error(Timeout::WriteStall)),
            idle,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at);
    }

    /// Fires what has run out; else makes sure that the task is woken in time.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, now: Instant) -> Poll<Fired> {
        let Some((at, fired)) = self.earliest else {
            return Poll::Pending;
        };
        if at <= now {
            if fired == Fired::Idle {
                self.closing_since = Some(now);
            }
            return Poll::Ready(fired);
        }
        // A timer that stands earlier is left alone: it costs one wake-up, moving it costs a lock each time.
        if timer.is_elapsed() || timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        if timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(at);
            let _ = timer.poll(cx);
        }
        Poll::Pending
    }
}
