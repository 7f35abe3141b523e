//! Response bodies in order of need, above `h2`.
//!
//! `h2` gives its window to whoever asks first and serves streams in turns. So bodies are held here and only
//! what goes out next is handed down, in slices: the most urgent stream first (RFC 9218), streams of one urgency
//! in the order in which they began, incremental ones in turns.
//!
//! No capacity is left reserved inside `h2`: a slice is reserved and sent in one step, or the stream is passed
//! over until the tap has seen a WINDOW_UPDATE. So a stream without window never keeps the connection's window
//! from the others.

use std::fmt::Debug;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Abortable;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::{Reason, SendStream};
use headstart_policy::Priority;
use http_body::Body;
use tokio::time::Instant;

use crate::outbox::OUTBOX_BYTES;
use crate::outgoing::{BodyEnd, NextFrame, Outgoing, SLICE_BYTES, Served};
use crate::terms::Terms;
use crate::wire::Wire;

/// A response that is not incremental keeps its place for this much; then it takes turns with its equals, so
/// that a download without end does not stop all that came after it.
const RUN_BYTES: usize = 1 << 20;

/// A stream that has waited this long gets one slice in [`PATIENT_EVERY`], however urgent the others are.
const PATIENCE: Duration = Duration::from_secs(3);
const PATIENT_EVERY: u32 = 8;

/// A socket that takes this much, bytes, in this time without being full is not what a response waits for.
const QUICK_BYTES: u64 = 128 << 10;
const QUICK_TIME: Duration = Duration::from_millis(10);

/// Heads and frame headers below that do not count, bytes: else there would be no room for the last whole slice.
const HEADS_BYTES: usize = 1 << 10;

/// A place in the order of a [`Scheduler`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn(u64);

/// Holds the bodies of one connection. `E` travels with a body and comes back when it has ended.
pub(crate) struct Scheduler<B, E> {
    /// In the order in which they are served. At most the streams that the two sides may open, which
    /// [`Config`](crate::Config) bounds.
    streams: Vec<Box<Outgoing<B, E>>>,
    /// Bodies that had nothing ready, each woken alone.
    awaited: FuturesUnordered<Abortable<NextFrame<B>>>,
    next_turn: u64,
    slices: u32,
    /// DATA handed to `h2` since the connection began, bytes; corrected by [`flushed`](Self::flushed).
    handed: u64,
    /// Counts the times that nothing was below.
    batch: u64,
    /// The urgency and id of a stream with more than one slice below.
    deep: Option<(u8, u32)>,
    pace: Pace,
}

impl<B: Body, E> Scheduler<B, E> {
    /// Ends every stream, returning what travelled with them.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = E> + '_ {
        self.streams.drain(..).map(|stream| stream.extra)
    }
}

impl<B, E> Scheduler<B, E>
where
    B: Body,
    B::Error: Debug,
{
    pub(crate) fn new() -> Self {
        Scheduler {
            streams: Vec::new(),
            awaited: FuturesUnordered::new(),
            next_turn: 0,
            slices: 0,
            handed: 0,
            batch: 1,
            deep: None,
            pace: Pace::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Keeps a place for a body that is to come, before all that is added later.
    pub(crate) fn reserve(&mut self) -> Turn {
        Turn(self.turn())
    }

    /// Adds a body behind all of its urgency, or where a place was kept for it.
    pub(crate) fn push(
        &mut self,
        send: SendStream<Bytes>,
        body: B,
        terms: Terms,
        kept: Option<Turn>,
        now: Instant,
        extra: E,
    ) {
        let turn = kept.map_or_else(|| self.turn(), |Turn(turn)| turn);
        self.insert(Box::new(Outgoing::new(send, body, terms, turn, now, extra)));
    }

    /// Puts a stream where it belongs: almost always at the end.
    fn insert(&mut self, stream: Box<Outgoing<B, E>>) {
        let at = self.streams.partition_point(|other| other.place() < stream.place());
        self.streams.insert(at, stream);
    }

    /// A stream has got another place.
    fn moved(&mut self, at: usize) {
        let stream = self.streams.remove(at);
        self.insert(stream);
    }

    /// The client has thought better of a priority (PRIORITY_UPDATE): the stream goes behind all of the new one.
    pub(crate) fn reprioritise(&mut self, id: u32, asked: Priority) {
        let turn = self.turn();
        if let Some(at) = self.streams.iter().position(|stream| stream.id == id)
            && let Some(stream) = self.streams.get_mut(at)
            && stream.reprioritise(asked)
        {
            stream.turn = turn;
            stream.run = 0;
            self.moved(at);
        }
    }

    /// Takes out a stream that was reset.
    pub(crate) fn remove(&mut self, id: u32) -> Option<E> {
        let at = self.streams.iter().position(|stream| stream.id == id)?;
        Some(self.streams.remove(at).extra)
    }

    /// Resets a stream, if it is still here. Not while a promise is on its way.
    pub(crate) fn reset(&mut self, id: u32, code: Reason) -> bool {
        let at = self.streams.iter().position(|stream| stream.id == id);
        at.map(|at| self.streams.remove(at).reset(code)).is_some()
    }

    /// The connection was just polled until it had nothing more to do: if its socket took all, nothing is unsent.
    pub(crate) fn flushed(&mut self, wire: &Wire) {
        if !wire.socket.write_blocked() {
            self.handed = wire.data_written();
            self.batch += 1;
            self.deep = None;
        }
    }

    /// Whether a body waits for the client to open a window, or to read what is below.
    pub(crate) fn is_starved(&self, wire: &Wire) -> bool {
        let no_window = wire.window_granted() <= wire.data_written();
        self.streams.iter().any(|stream| stream.is_starved(no_window))
    }

    /// Since when a stream waits for window that has waited longest. While the connection has none, no stream is
    /// to blame.
    pub(crate) fn stuck_since(&self, wire: &Wire) -> Option<Instant> {
        if wire.window_granted() <= wire.data_written() {
            return None;
        }
        self.streams.iter().filter_map(|stream| stream.stuck_since()).min()
    }

    /// Resets the streams that have been stuck since `then`. Not while a promise is on its way.
    pub(crate) fn cut_stuck(&mut self, then: Instant, ended: &mut Vec<(E, BodyEnd)>) {
        let is_stuck = |stream: &mut Box<Outgoing<B, E>>| {
            stream.stuck_since().is_some_and(|since| since <= then) && !stream.recovers()
        };
        for mut stream in self.streams.extract_if(.., is_stuck) {
            stream.reset(Reason::CANCEL);
            ended.push((stream.extra, BodyEnd::Stalled));
        }
    }

    /// Hands slices to `h2` until nothing is ready, the window is used up or `max_unsent` bytes are below.
    /// Returns whether `h2` has to be polled again; bodies that ended go to `ended`.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wire: &Wire,
        max_unsent: usize,
        now: Instant,
        ended: &mut Vec<(E, BodyEnd)>,
        charge: &mut dyn FnMut(u64, u64) -> bool,
    ) -> bool {
        self.poll_awaited(cx);
        let max_unsent = self.pace.max_unsent(max_unsent.max(SLICE_BYTES), wire, now);
        let mut progress = false;
        loop {
            let held = wire.socket.held().saturating_sub(HEADS_BYTES) as u64;
            let unsent = self.handed.saturating_sub(wire.data_written()).saturating_add(held);
            let room = (max_unsent as u64).saturating_sub(unsent);
            // What the client granted, less all that it got or will get.
            let window = wire.window_granted().saturating_sub(self.handed.max(wire.data_written()));
            let most = usize::try_from(room.min(window)).unwrap_or(usize::MAX);
            // Whole slices, or a client that reads slowly would be sent as many frames as it does reads.
            if unsent > 0 && room < SLICE_BYTES as u64 {
                return progress;
            }
            let Some(at) = self.pick(most, wire.window_epoch(), now) else {
                return progress;
            };
            // `h2` serves streams in turns: a slice of a stream that is due later would go out before the second
            // slice of this one. What is below goes first.
            if let Some((urgency, id)) = self.deep
                && self.streams.get(at).is_some_and(|stream| stream.id != id && stream.priority.urgency >= urgency)
            {
                return progress;
            }
            progress |= self.serve(at, cx, wire, most, now, ended, charge);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what `poll` was given, and the stream")]
    fn serve(
        &mut self,
        at: usize,
        cx: &mut Context<'_>,
        wire: &Wire,
        most: usize,
        now: Instant,
        ended: &mut Vec<(E, BodyEnd)>,
        charge: &mut dyn FnMut(u64, u64) -> bool,
    ) -> bool {
        let turn = self.turn();
        let batch = self.batch;
        let Some(stream) = self.streams.get_mut(at) else {
            return false;
        };
        let served = stream.serve(cx, most, wire.streams_begin_closed(), charge);
        if let Served::Sent(bytes) | Served::Ended(bytes @ 1.., _) = served {
            if stream.batch == batch || bytes > SLICE_BYTES {
                self.deep = Some((stream.priority.urgency, stream.id));
            }
            stream.batch = batch;
        }
        match served {
            Served::Sent(bytes) => {
                self.slices = self.slices.wrapping_add(1);
                stream.last_served = now;
                if stream.priority.incremental || stream.run >= RUN_BYTES {
                    stream.turn = turn;
                    self.moved(at);
                }
                self.handed += bytes as u64;
                true
            }
            Served::Ended(bytes, how) => {
                ended.push((self.streams.remove(at).extra, how));
                self.handed += bytes as u64;
                true
            }
            Served::NoWindow => {
                stream.blocked(wire.window_epoch(), now);
                false
            }
            Served::NotReady(next) => {
                self.awaited.push(next);
                self.poll_awaited(cx);
                false
            }
            Served::Filled => false,
        }
    }

    /// Takes the frames of bodies that had none before.
    fn poll_awaited(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(answered)) = self.awaited.poll_next_unpin(cx) {
            // A stream that was dropped meanwhile has aborted it.
            let Ok((id, body, frame)) = answered else { continue };
            if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
                stream.answered(body, frame);
            }
        }
    }

    /// The stream that goes next: the first that is ready. Now and then the one that has waited longest, which is
    /// looked for among all, a few hundred at most.
    fn pick(&self, window: usize, epoch: u64, now: Instant) -> Option<usize> {
        let ready = |stream: &Outgoing<B, E>| stream.is_ready(window, epoch);
        if self.slices.is_multiple_of(PATIENT_EVERY) {
            let waiting = self.streams.iter().enumerate().filter(|(_, stream)| ready(stream));
            if let Some((at, stream)) = waiting.min_by_key(|(_, stream)| stream.last_served)
                && now.saturating_duration_since(stream.last_served) > PATIENCE
            {
                return Some(at);
            }
        }
        self.streams.iter().position(|stream| ready(stream))
    }

    fn turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }
}

/// How quickly the socket takes what it is given.
#[derive(Debug, Default)]
struct Pace {
    /// When bytes began to be counted, and how many had been written then.
    since: Option<(Instant, u64)>,
    /// Whether the count before was that of a quick socket.
    was_quick: bool,
}

impl Pace {
    /// Little below lets a late urgent response overtake; much makes for fewer system calls. Where the socket takes all
    /// at once, nothing is below for long.
    fn max_unsent(&mut self, configured: usize, wire: &Wire, now: Instant) -> usize {
        let written = wire.socket.bytes_written();
        let (began, before) = *self.since.get_or_insert((now, written));
        let quick = written.saturating_sub(before) >= QUICK_BYTES;
        if wire.socket.write_blocked() {
            *self = Pace { since: Some((now, written)), was_quick: false };
        } else if now.saturating_duration_since(began) > QUICK_TIME {
            *self = Pace { since: Some((now, written)), was_quick: quick };
        } else if quick {
            self.was_quick = true;
        }
        if self.was_quick { configured.max(OUTBOX_BYTES) } else { configured }
    }
}
