//! Response bodies in order of need, above `h2`.
//!
//! `h2` gives its window to the stream that asks first and serves streams in turns. So the scheduler holds the bodies and
//! hands `h2` only the slices that are to be written next: the most urgent stream first (RFC 9218), streams of one
//! urgency in the order in which they began, incremental ones in turns.
//!
//! No capacity stays reserved inside `h2`: a slice is reserved and sent in one step, or the stream is skipped until the
//! tap has seen a WINDOW_UPDATE. So a stream without window never takes the connection's window from the others.

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

use crate::body_options::BodyOptions;
use crate::outbox::OUTBOX_BYTES;
use crate::outgoing::{BodyEnd, NextFrame, Outgoing, SLICE_BYTES, Served};
use crate::promises::Surcharge;
use crate::virtual_time::VirtualTime;
use crate::wire::Wire;

/// A response that is not incremental keeps its place for this much; then it takes turns with its equals, so
/// that a download without end does not stop all that came after it.
const RUN_BYTES: usize = 1 << 20;

/// A stream that has waited this long gets one slice in [`PATIENT_EVERY`], however urgent the others are.
const PATIENCE: Duration = Duration::from_secs(3);
const PATIENT_EVERY: u32 = 8;

/// A socket that takes [`QUICK_BYTES`] in [`QUICK_TIME`] without being full does not delay a response.
const QUICK_BYTES: u64 = 128 << 10;
const QUICK_TIME: Duration = Duration::from_millis(10);

/// Bytes of heads and frame headers that do not count as unsent: else there would be no room for the last whole slice.
const HEADS_BYTES: usize = 1 << 10;

/// A stream of which `h2` holds more than one slice.
#[derive(Clone, Copy, Debug)]
struct Deep {
    stream: u32,
    urgency: u8,
}

/// Holds the bodies of one connection. `E` travels with a body and comes back when it has ended.
pub(crate) struct Scheduler<B, E> {
    /// In the order in which they are served. At most the streams that the two sides may open, which
    /// [`Config`](crate::Config) bounds.
    streams: Vec<Box<Outgoing<B, E>>>,
    /// Bodies that had nothing ready, each woken alone.
    awaited: FuturesUnordered<Abortable<NextFrame<B>>>,
    /// The virtual time that was given out last.
    latest: VirtualTime,
    max_unsent_bytes: usize,
    slices: u32,
    /// DATA handed to `h2` since the connection began, bytes; corrected by [`flushed`](Self::flushed).
    handed: u64,
    /// Counts the times that `h2` held no DATA.
    batch: u64,
    /// The stream of which `h2` holds more than one slice.
    deep: Option<Deep>,
    /// Early bodies that are less urgent than this wait for a page.
    early_limit: Option<u8>,
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
    /// `max_unsent_bytes` as in [`Config::max_unsent_bytes`](crate::Config::max_unsent_bytes).
    pub(crate) fn new(max_unsent_bytes: usize) -> Self {
        Scheduler {
            max_unsent_bytes: max_unsent_bytes.max(SLICE_BYTES),
            streams: Vec::new(),
            awaited: FuturesUnordered::new(),
            latest: VirtualTime::default(),
            slices: 0,
            handed: 0,
            batch: 1,
            deep: None,
            early_limit: None,
            pace: Pace::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Whether any body was sent early.
    pub(crate) fn has_early(&self) -> bool {
        self.streams.iter().any(|stream| stream.is_early())
    }

    /// From now on early bodies that are less urgent than this wait; with `None` none does.
    pub(crate) fn limit_early(&mut self, limit: Option<u8>) {
        self.early_limit = limit;
    }

    /// Reserves a place for a body that is to come, before all that is added later.
    pub(crate) fn reserve(&mut self) -> VirtualTime {
        self.latest = self.latest.next();
        self.latest
    }

    /// Adds a body behind all of its urgency, or at the place that was reserved for it.
    pub(crate) fn push(
        &mut self,
        send: SendStream<Bytes>,
        body: B,
        options: BodyOptions,
        reserved: Option<VirtualTime>,
        now: Instant,
        extra: E,
    ) {
        let due = reserved.unwrap_or_else(|| self.reserve());
        self.insert(Box::new(Outgoing::new(send, body, options, due, now, extra)));
    }

    /// Inserts a stream at its place, which is almost always the end.
    fn insert(&mut self, stream: Box<Outgoing<B, E>>) {
        let at = self.streams.partition_point(|other| other.place() < stream.place());
        self.streams.insert(at, stream);
    }

    /// Puts a stream where it belongs after its place has changed.
    fn moved(&mut self, at: usize) {
        let stream = self.streams.remove(at);
        self.insert(stream);
    }

    /// Applies a PRIORITY_UPDATE: the stream goes behind all others of its new urgency.
    pub(crate) fn reprioritise(&mut self, id: u32, requested: Priority) {
        let due = self.reserve();
        if let Some(at) = self.streams.iter().position(|stream| stream.id == id)
            && let Some(stream) = self.streams.get_mut(at)
            && stream.reprioritise(requested)
        {
            stream.due = due;
            stream.run = 0;
            self.moved(at);
        }
    }

    /// Removes a stream that was reset.
    pub(crate) fn remove(&mut self, id: u32) -> Option<E> {
        let at = self.streams.iter().position(|stream| stream.id == id)?;
        Some(self.streams.remove(at).extra)
    }

    /// Resets a stream, if its body was not handed over whole. Returns whether it was reset. Not while a promise is being
    /// written.
    pub(crate) fn reset(&mut self, id: u32, code: Reason) -> bool {
        let at = self.streams.iter().position(|stream| stream.id == id);
        at.map(|at| self.streams.remove(at).reset(code)).is_some()
    }

    /// The connection was polled until it was idle: unless its socket is full, `h2` holds no DATA.
    pub(crate) fn flushed(&mut self, wire: &Wire) {
        if !wire.socket.write_blocked() {
            self.handed = wire.data_written();
            self.batch += 1;
            self.deep = None;
        }
    }

    /// Whether a body waits for the client to open a window.
    pub(crate) fn is_starved(&self, wire: &Wire) -> bool {
        let no_window = wire.window_granted() <= wire.data_written();
        self.streams.iter().any(|stream| stream.is_starved(no_window))
    }

    /// The instant since which a stream has waited for window, for the one that has waited longest. While the connection
    /// has no window, no stream is at fault.
    pub(crate) fn stuck_since(&self, wire: &Wire) -> Option<Instant> {
        if wire.window_granted() <= wire.data_written() {
            return None;
        }
        self.streams.iter().filter_map(|stream| stream.stuck_since()).min()
    }

    /// Resets the streams that have been stuck since that instant. Not while a promise is being written.
    pub(crate) fn cut_stuck(&mut self, limit: Instant, ended: &mut Vec<(E, BodyEnd)>) {
        let is_stuck = |stream: &mut Box<Outgoing<B, E>>| {
            stream.stuck_since().is_some_and(|since| since <= limit) && !stream.recovers()
        };
        for mut stream in self.streams.extract_if(.., is_stuck) {
            stream.reset(Reason::CANCEL);
            ended.push((stream.extra, BodyEnd::Stalled));
        }
    }

    /// Hands slices to `h2` until nothing is ready, the window is used up or too many bytes are unsent. Bodies that ended go
    /// to `ended`. Returns how many frames `h2` has to write.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wire: &Wire,
        now: Instant,
        ended: &mut Vec<(E, BodyEnd)>,
        charge: &mut dyn FnMut(Surcharge) -> bool,
    ) -> usize {
        self.poll_awaited(cx);
        let max_unsent = self.pace.max_unsent(self.max_unsent_bytes, wire, now);
        let mut frames = 0;
        loop {
            let held = wire.socket.held().saturating_sub(HEADS_BYTES) as u64;
            let unsent = self.handed.saturating_sub(wire.data_written()).saturating_add(held);
            let room = (max_unsent as u64).saturating_sub(unsent);
            // The window that the client granted, less all that was or will be sent.
            let window = wire.window_granted().saturating_sub(self.handed.max(wire.data_written()));
            let most = usize::try_from(room.min(window)).unwrap_or(usize::MAX);
            // Only whole slices, or a client that reads slowly would be sent a frame for each of its reads.
            if unsent > 0 && room < SLICE_BYTES as u64 {
                return frames;
            }
            let Some(at) = self.pick(most, wire.window_epoch(), now) else {
                return frames;
            };
            // `h2` serves streams in turns: a slice of a stream that is due later would be written before the second slice
            // of a stream that `h2` still holds. Wait until that is written.
            if let Some(deep) = self.deep
                && let Some(stream) = self.streams.get(at)
                && stream.id != deep.stream
                && stream.priority.urgency >= deep.urgency
            {
                return frames;
            }
            frames += self.serve(at, cx, wire, most, now, ended, charge);
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
        charge: &mut dyn FnMut(Surcharge) -> bool,
    ) -> usize {
        let due = self.reserve();
        let batch = self.batch;
        let Some(stream) = self.streams.get_mut(at) else {
            return 0;
        };
        let served = stream.serve(cx, most, wire.streams_begin_closed(), charge);
        if let Served::Sent(bytes) | Served::Ended(bytes @ 1.., _) = served {
            if stream.batch == batch || bytes > SLICE_BYTES {
                self.deep = Some(Deep { stream: stream.id, urgency: stream.priority.urgency });
            }
            stream.batch = batch;
        }
        match served {
            Served::Sent(bytes) => {
                self.slices = self.slices.wrapping_add(1);
                stream.last_served = now;
                if stream.priority.incremental || stream.run >= RUN_BYTES {
                    stream.due = due;
                    self.moved(at);
                }
                self.handed += bytes as u64;
                bytes.div_ceil(SLICE_BYTES)
            }
            Served::Ended(bytes, how) => {
                ended.push((self.streams.remove(at).extra, how));
                self.handed += bytes as u64;
                bytes.div_ceil(SLICE_BYTES).max(1)
            }
            Served::NoWindow => {
                stream.blocked(wire.window_epoch(), now);
                0
            }
            Served::NotReady(next) => {
                self.awaited.push(next);
                self.poll_awaited(cx);
                0
            }
            Served::Filled => 0,
        }
    }

    /// Takes the frames of bodies that had none when they were asked.
    fn poll_awaited(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(answered)) = self.awaited.poll_next_unpin(cx) {
            // Dropping a stream aborts the future of its body.
            let Ok((id, body, frame)) = answered else { continue };
            if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
                stream.answered(body, frame);
            }
        }
    }

    /// Picks the stream that goes next: the first that is ready; now and then the one that has waited longest, for which
    /// all streams are looked at, a few hundred at most.
    fn pick(&self, window: usize, epoch: u64, now: Instant) -> Option<usize> {
        let waits = |stream: &Outgoing<B, E>| {
            stream.is_early() && self.early_limit.is_some_and(|limit| stream.priority.urgency > limit)
        };
        let ready = |stream: &Outgoing<B, E>| stream.is_ready(window, epoch) && !waits(stream);
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
}

/// How quickly the socket takes bytes.
#[derive(Debug, Default)]
struct Pace {
    /// When bytes began to be counted, and how many had been written then.
    since: Option<(Instant, u64)>,
    /// Whether the count before was that of a quick socket.
    was_quick: bool,
}

impl Pace {
    /// Few unsent bytes let a late urgent response overtake, many need fewer system calls. A socket that takes all at once
    /// leaves nothing unsent for long.
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
