//! The one timer of a connection: it is armed for the earliest of what could run out, and re-armed when it fires.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::error::Timeout;
use crate::outgoing::DRIBBLE_BYTES;
use crate::wire::Wire;

/// How long a connection that is closing and has nothing left to send waits for the client's part in closing.
const LINGER: Duration = Duration::from_secs(5);

/// The conditions that must not last.
#[derive(Debug)]
pub(crate) struct Timers {
    handshake: Spell,
    header: Spell,
    /// The socket takes nothing.
    blocked: Spell,
    /// The client gives no window for what is ready.
    starved: Spell,
    idle: Spell,
    closing: Spell,
    /// Nothing comes from the client; since a PING; and a stream lacks window.
    silent: Spell,
    pinged: Spell,
    stuck: Spell,
    earliest: Option<(Instant, Fired)>,
}

/// What the driver knows of itself that timers depend on.
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
    /// Since when a single stream waits for window.
    pub(crate) stuck_since: Option<Instant>,
    /// A PING is not answered.
    pub(crate) pinged: bool,
}

/// What a timer says when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Give the connection up.
    Error(Timeout),
    /// Close it in good order.
    Idle,
    /// Ask the client for a sign of life.
    KeepAlive,
    /// It was closed in good order and the client does not go.
    Linger,
    /// Reset the streams that lack window.
    Stuck,
}

impl Timers {
    /// `began` is when the connection did.
    pub(crate) fn new(began: Instant) -> Self {
        let none = Spell::default();
        let handshake = Spell { since: Some(began), progress: 0 };
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
            earliest: None,
        }
    }

    /// Takes in the state of the connection after it was driven.
    pub(crate) fn observe(&mut self, wire: &Wire, config: &Config, now: Instant, observed: Observed) {
        let Observed { idle, closing, blocked, starved, stuck_since, pinged } = observed;
        self.handshake.observe(now, !wire.settings_seen(), 0);
        // While the socket is full `h2` does not read, and it is not the head that the client delays.
        self.header.observe(now, wire.request_unfinished() && !blocked, wire.frames_begun());
        self.blocked.observe(now, blocked, wire.socket.bytes_written() / DRIBBLE_BYTES as u64);
        // Not by any byte: a client that asks for PING replies and opens no window would be served for ever.
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
        .min_by_key(|(at, _)| *at);
    }

    /// Fires what has run out; else makes sure that the task is woken in time.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, now: Instant) -> Poll<Fired> {
        let Some((at, fired)) = self.earliest else {
            return Poll::Pending;
        };
        if at <= now {
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

/// How long a condition has held without progress.
#[derive(Clone, Copy, Debug, Default)]
struct Spell {
    since: Option<Instant>,
    /// The count whose change is progress.
    progress: u64,
}

impl Spell {
    fn observe(&mut self, now: Instant, holds: bool, progress: u64) {
        if !holds {
            self.since = None;
        } else if self.since.is_none() || self.progress != progress {
            *self = Spell { since: Some(now), progress };
        }
    }

    fn due(&self, after: Duration, fired: Fired) -> Option<(Instant, Fired)> {
        Some((self.since?.checked_add(after)?, fired))
    }
}
