//! One response body on its way out.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::future::{AbortHandle, Abortable};
use h2::{Reason, SendStream};
use headstart_policy::Priority;
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::time::Instant;

use crate::body_options::BodyOptions;
use crate::head;
use crate::promises::Surcharge;
use crate::virtual_time::VirtualTime;

/// Bytes of an incremental response that `h2` is handed at a time, and the least of any other: the largest DATA frame
/// that every client takes (RFC 9113, section 4.2).
pub(crate) const SLICE_BYTES: usize = 16 << 10;

/// Window or room in the socket below this, bytes in the stall timeout, counts as none.
pub(crate) const DRIBBLE_BYTES: usize = 1 << 10;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// All of it was handed over, and the end of the stream with it.
    Complete,
    /// The body gave an error; the stream was reset.
    Failed,
    /// A push that would exceed its budget; the stream was reset.
    CutOff,
    /// The stream is gone.
    Gone,
    /// The client gave it no window for too long; the stream was reset.
    Stalled,
}

/// A body, its stream, and its place in the order of need.
pub(crate) struct Outgoing<B, E> {
    pub(crate) id: u32,
    pub(crate) send: SendStream<Bytes>,
    pub(crate) priority: Priority,
    options: BodyOptions,
    /// Place among streams of the same urgency.
    pub(crate) due: VirtualTime,
    /// Bytes sent since it got its place.
    pub(crate) run: usize,
    pub(crate) last_served: Instant,
    /// The scheduler's batch of its last slice.
    pub(crate) batch: u64,
    /// The window epoch in which it was found without window.
    pub(crate) blocked_in: Option<u64>,
    stuck: Option<Stuck>,
    pub(crate) extra: E,
    started: bool,
    body: Option<Pin<Box<B>>>,
    next: Next,
}

/// Since when a stream lacks window, and the bytes that it has sent since.
#[derive(Clone, Copy, Debug)]
struct Stuck {
    since: Instant,
    bytes: usize,
}

/// The next thing that the stream sends.
enum Next {
    /// The body has to be asked.
    Unknown,
    /// The body is being asked ([`NextFrame`]); dropping the stream ends that.
    Awaited(#[expect(dead_code, reason = "aborts when dropped")] AbortOnDrop),
    /// Never empty.
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    Failed,
}

/// The result of serving a stream.
pub(crate) enum Served<B> {
    Sent(usize),
    /// It waits for the client to open its window.
    NoWindow,
    /// Its body had no frame; this future waits for one.
    NotReady(Abortable<NextFrame<B>>),
    /// Its body gave data for which there is no room yet.
    Filled,
    Ended(usize, BodyEnd),
}

impl<B, E> Outgoing<B, E>
where
    B: Body,
    B::Error: Debug,
{
    pub(crate) fn new(
        send: SendStream<Bytes>,
        body: B,
        options: BodyOptions,
        due: VirtualTime,
        now: Instant,
        extra: E,
    ) -> Self {
        Outgoing {
            id: send.stream_id().as_u32(),
            send,
            priority: options.own.over(options.requested),
            options,
            due,
            run: 0,
            last_served: now,
            batch: 0,
            blocked_in: None,
            stuck: None,
            extra,
            started: false,
            body: Some(Box::pin(body)),
            next: Next::Unknown,
        }
    }

    /// Whether it was pushed, or asked for because a 103 named it.
    pub(crate) fn is_early(&self) -> bool {
        self.options.early
    }

    /// Its place in the order in which streams are served; no two are equal.
    pub(crate) fn place(&self) -> (u8, VirtualTime) {
        (self.priority.urgency, self.due)
    }

    /// Applies another priority that the client asks for. Returns whether it changes anything.
    pub(crate) fn reprioritise(&mut self, requested: Priority) -> bool {
        let priority = self.options.own.over(requested);
        std::mem::replace(&mut self.priority, priority) != priority
    }

    /// Whether it waits for the client: it has data and no window, or was not begun because there is no window.
    pub(crate) fn is_starved(&self, no_window: bool) -> bool {
        match self.next {
            _ if self.options.tunnel => false,
            Next::Data(_) => true,
            Next::Unknown => (no_window && !self.started) || self.stuck.is_some(),
            Next::Awaited(_) | Next::Trailers(_) | Next::End | Next::Failed => false,
        }
    }

    /// The instant since which the client has given it less than [`DRIBBLE_BYTES`] of window, though it has data to send.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        self.stuck.filter(|_| !self.options.tunnel).map(|stuck| stuck.since)
    }

    /// Looks again whether it is without window, which may have come since it was served.
    pub(crate) fn recovers(&mut self) -> bool {
        let has_window = self.has_window();
        if has_window {
            (self.stuck, self.blocked_in) = (None, None);
        }
        has_window
    }

    /// Notes that it was found without window.
    pub(crate) fn blocked(&mut self, epoch: u64, now: Instant) {
        self.blocked_in = Some(epoch);
        self.stuck.get_or_insert(Stuck { since: now, bytes: 0 });
    }

    /// Whether serving it may have an effect. A body that has not begun is not polled without window; one that has begun
    /// may have only its end to report, which needs none.
    pub(crate) fn is_ready(&self, window: usize, epoch: u64) -> bool {
        match self.next {
            Next::Awaited(_) => false,
            Next::Data(_) => window > 0 && self.blocked_in != Some(epoch),
            Next::Unknown => self.started || (window > 0 && self.blocked_in != Some(epoch)),
            Next::Trailers(_) | Next::End | Next::Failed => true,
        }
    }

    /// Sends one slice of at most `most` bytes, or the end. With `closed`, streams begin without window; `charge` is
    /// asked for what a push costs beyond its allowance.
    pub(crate) fn serve(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        closed: bool,
        charge: &mut dyn FnMut(Surcharge) -> bool,
    ) -> Served<B> {
        if matches!(self.next, Next::Unknown) {
            if closed && !self.started && !self.has_window() {
                return Served::NoWindow;
            }
            if let Some(later) = self.ask(cx) {
                return Served::NotReady(later);
            }
        }
        match std::mem::replace(&mut self.next, Next::End) {
            Next::Data(data) => {
                let bytes = data.len() as u64;
                if self.options.allowance.as_mut().is_none_or(|allowance| allowance.covers(bytes, charge)) {
                    return self.send_slice(data, most);
                }
                self.reset(Reason::CANCEL);
                Served::Ended(0, BodyEnd::CutOff)
            }
            Next::Trailers(mut trailers) => {
                head::remove_hop_by_hop(&mut trailers);
                let sent = self.send.send_trailers(trailers);
                Served::Ended(0, if sent.is_ok() { BodyEnd::Complete } else { BodyEnd::Gone })
            }
            Next::Failed => {
                self.reset(Reason::INTERNAL_ERROR);
                Served::Ended(0, BodyEnd::Failed)
            }
            Next::End | Next::Unknown | Next::Awaited(_) => {
                let sent = self.send.send_data(Bytes::new(), true);
                Served::Ended(0, if sent.is_ok() { BodyEnd::Complete } else { BodyEnd::Gone })
            }
        }
    }

    pub(crate) fn reset(&mut self, code: Reason) {
        self.send.send_reset(code);
    }

    /// Whether the stream has window for a byte. A body that is not begun is not polled without.
    fn has_window(&mut self) -> bool {
        self.send.reserve_capacity(1);
        let has = self.send.capacity() > 0;
        self.send.reserve_capacity(0);
        has
    }

    /// Takes back a body that was awaited, with the frame that it gave.
    pub(crate) fn answered(&mut self, body: Pin<Box<B>>, frame: Asked<B>) {
        self.body = Some(body);
        self.take(frame);
    }

    /// Asks the body for its next frame. If there is none yet, returns the future to wait for.
    fn ask(&mut self, cx: &mut Context<'_>) -> Option<Abortable<NextFrame<B>>> {
        while matches!(self.next, Next::Unknown) {
            let Some(body) = &mut self.body else {
                self.next = Next::End;
                break;
            };
            match poll_frame(body.as_mut(), cx) {
                Poll::Ready(frame) => self.take(frame),
                Poll::Pending => {
                    let (handle, registration) = AbortHandle::new_pair();
                    self.next = Next::Awaited(AbortOnDrop(handle));
                    let next = NextFrame { id: self.id, body: self.body.take() };
                    return Some(Abortable::new(next, registration));
                }
            }
        }
        None
    }

    fn take(&mut self, frame: Asked<B>) {
        self.next = match frame {
            Err(Panicked) => {
                tracing::error!(stream = self.id, "a response body panicked");
                Next::Failed
            }
            Ok(None) => Next::End,
            Ok(Some(Err(error))) => {
                tracing::debug!(stream = self.id, ?error, "a response body failed");
                Next::Failed
            }
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) if data.has_remaining() => Next::Data(data.copy_to_bytes(data.remaining())),
                Ok(_) => Next::Unknown,
                Err(frame) => frame.into_trailers().map_or(Next::Unknown, Next::Trailers),
            },
        };
    }

    /// Reserves and sends in one step, so that nothing stays reserved inside `h2`.
    fn send_slice(&mut self, mut data: Bytes, most: usize) -> Served<B> {
        // A stream that is not incremental would have the next slice as well. Each whole slice becomes a frame.
        let slices = if self.priority.incremental { 1 } else { (most / SLICE_BYTES).max(1) };
        let want = data.len().min(slices * SLICE_BYTES).min(most);
        if want == 0 {
            self.next = Next::Data(data);
            return Served::Filled;
        }
        self.send.reserve_capacity(want);
        let have = self.send.capacity().min(want);
        if have < want {
            self.send.reserve_capacity(0);
        }
        if have == 0 {
            self.next = Next::Data(data);
            return Served::NoWindow;
        }
        let slice = data.split_to(have);
        let over = data.is_empty() && self.body.as_deref().is_none_or(Body::is_end_stream);
        if self.send.send_data(slice, over).is_err() {
            return Served::Ended(0, BodyEnd::Gone);
        }
        self.started = true;
        self.run += have;
        if let Some(allowance) = &mut self.options.allowance {
            allowance.sent(have as u64);
        }
        if let Some(stuck) = &mut self.stuck {
            stuck.bytes += have;
            if have == want || stuck.bytes >= DRIBBLE_BYTES {
                self.stuck = None;
            }
        }
        if over {
            return Served::Ended(have, BodyEnd::Complete);
        }
        self.next = if data.is_empty() { Next::Unknown } else { Next::Data(data) };
        Served::Sent(have)
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for the next frame of a body that had none.
pub(crate) struct NextFrame<B> {
    id: u32,
    body: Option<Pin<Box<B>>>,
}

/// A body that answered: its stream, itself, and the frame.
pub(crate) type Answered<B> = (u32, Pin<Box<B>>, Asked<B>);

/// The answer of a body that was asked for a frame.
pub(crate) type Asked<B> = Result<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>, Panicked>;

/// The body panicked: its stream fails, the others go on.
pub(crate) struct Panicked;

fn poll_frame<B: Body>(body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Asked<B>> {
    match std::panic::catch_unwind(AssertUnwindSafe(|| body.poll_frame(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    }
}

impl<B: Body> Future for NextFrame<B> {
    type Output = Answered<B>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(body) = &mut self.body else {
            return Poll::Pending;
        };
        let frame = ready!(poll_frame(body.as_mut(), cx));
        match self.body.take() {
            Some(body) => Poll::Ready((self.id, body, frame)),
            None => Poll::Pending,
        }
    }
}
