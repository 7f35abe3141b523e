//! The timeouts of a connection on one timer: it is armed for the earliest deadline, and re-armed when it fires.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::Connection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::error::Timeout;
use crate::keep_alive::KeepAlive;
use crate::outgoing::DRIBBLE_BYTES;
use crate::tap::Tap;
use crate::wire::Wire;

/// How long a connection that is closing and has nothing left to send waits for the client to close it.
const LINGER: Duration = Duration::from_secs(5);

/// The conditions that must not last, and the PINGs that end silence.
pub(crate) struct Timers {
    handshake: Timer,
    header: Timer,
    /// The socket takes nothing.
    blocked: Timer,
    /// The client gives no window for what is ready.
    starved: Timer,
    idle: Timer,
    closing: Timer,
    /// Nothing comes from the client.
    silent: Timer,
    /// Nothing has come from the client since a PING.
    pinged: Timer,
    /// A stream lacks window, while others have some.
    stuck: Timer,
    keep_alive: KeepAlive,
    earliest: Option<Deadline>,
}

/// The state of the driver that timers depend on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its timer")]
pub(crate) struct Observed {
    /// No exchange is under way and nothing is being sent.
    pub(crate) idle: bool,
    pub(crate) closing: bool,
    /// Bytes wait for the socket.
    pub(crate) blocked: bool,
    /// A body has data for which the client gave no window.
    pub(crate) starved: bool,
    /// The instant since which a single stream has waited for window.
    pub(crate) stuck_since: Option<Instant>,
}

/// The action that a fired timer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// End the connection with this error.
    Error(Timeout),
    /// Close it in good order.
    Idle,
    /// Send a PING.
    KeepAlive,
    /// The connection was closed gracefully, and the client does not close it.
    Linger,
    /// Reset the streams that lack window.
    Stuck,
}

impl Timers {
    /// `began` is when the connection was accepted.
    pub(crate) fn new(began: Instant) -> Self {
        let none = Timer::default();
        let handshake = Timer { since: Some(began), progress: 0 };
        Timers {
            handshake,
            header: none,
            blocked: none,
            starved: none,
            idle: none,
            closing: none,
            silent: none,
            pinged: none,
            stuck: none,
            keep_alive: KeepAlive::default(),
            earliest: None,
        }
    }

    /// Takes in the state of the connection after it was driven.
    pub(crate) fn observe(&mut self, wire: &Wire, config: &Config, now: Instant, observed: Observed) {
        let Observed { idle, closing, blocked, starved, stuck_since } = observed;
        let pinged = self.keep_alive.is_waiting(wire.bytes_read());
        self.handshake.observe(now, !wire.settings_seen(), 0);
        // While the socket is full `h2` does not read, and it is not the head that the client delays.
        self.header.observe(now, wire.request_unfinished() && !blocked, wire.frames_begun());
        self.blocked.observe(now, blocked, wire.socket.bytes_written() / DRIBBLE_BYTES as u64);
        // Only DATA is progress: a client that asks for PING replies and opens no window would never time out.
        self.starved.observe(now, starved, wire.data_written() / DRIBBLE_BYTES as u64);
        self.stuck.since = stuck_since;
        // While the socket is full no PING would go out, and none of the client's bytes are read.
        let alive = !blocked && (!idle || config.keep_alive_while_idle);
        self.silent.observe(now, alive && !pinged && config.keep_alive_interval.is_some(), wire.bytes_read());
        self.pinged.observe(now, !blocked && pinged, 0);
        self.idle.observe(now, idle && !closing && !blocked, 0);
        self.closing.observe(now, idle && closing && !blocked, 0);
        self.earliest = [
            self.handshake.due(config.handshake_timeout, Fired::Error(Timeout::Handshake)),
            self.header.due(config.header_timeout, Fired::Error(Timeout::Header)),
            self.blocked.due(config.write_stall_timeout, Fired::Error(Timeout::WriteStall)),
            self.starved.due(config.write_stall_timeout, Fired::Error(Timeout::WriteStall)),
            self.idle.due(config.idle_timeout, Fired::Idle),
            self.closing.due(LINGER, Fired::Linger),
            self.stuck.due(config.write_stall_timeout, Fired::Stuck),
            self.silent.due(config.keep_alive_interval.unwrap_or(Duration::MAX), Fired::KeepAlive),
            self.pinged.due(config.keep_alive_timeout, Fired::Error(Timeout::KeepAlive)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|deadline| deadline.at);
    }

    /// Asks a silent client for a sign of life.
    pub(crate) fn ping<T>(&mut self, h2: &mut Connection<Tap<T>, Bytes>, wire: &Wire)
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        self.keep_alive.ping(h2, wire.bytes_read());
    }

    /// Returns what has run out; else makes sure that the task is woken in time.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, now: Instant) -> Poll<Fired> {
        let Some(Deadline { at, fired }) = self.earliest else {
            return Poll::Pending;
        };
        if at <= now {
            return Poll::Ready(fired);
        }
        // A sleep that ends earlier is left alone: it costs one wake-up, moving it costs a lock each time.
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

/// When a condition must have ended, and what to do if it has not.
#[derive(Clone, Copy, Debug)]
struct Deadline {
    at: Instant,
    fired: Fired,
}

/// How long a condition has held without progress.
#[derive(Clone, Copy, Debug, Default)]
struct Timer {
    since: Option<Instant>,
    /// The count whose change is progress.
    progress: u64,
}

impl Timer {
    fn observe(&mut self, now: Instant, holds: bool, progress: u64) {
        if !holds {
            self.since = None;
        } else if self.since.is_none() || self.progress != progress {
            *self = Timer { since: Some(now), progress };
        }
    }

    fn due(&self, after: Duration, fired: Fired) -> Option<Deadline> {
        Some(Deadline { at: self.since?.checked_add(after)?, fired })
    }
}
