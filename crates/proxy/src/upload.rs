//! The body of a request on its way to the upstream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::Fault;
use super::stats::{self, Counters};
use super::{forwarded, head};

/// How long the upstream is waited for to ask for the content, if the client wants to be asked (RFC 9110, section
/// 10.1.1 lets one who waits go on without an answer).
const PATIENCE: Duration = Duration::from_secs(1);

/// The body of a client's request.
pub(super) type Content = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Nothing, or what the client sends, within limits.
pub(super) struct Upload(Option<Box<Sending>>);

struct Sending {
    body: Content,
    /// Bytes that may follow.
    room: u64,
    stall: Duration,
    /// When the client must have sent more.
    timer: Pin<Box<Sleep>>,
    last: Instant,
    gate: Option<Arc<Gate>>,
    watch: Arc<Watch>,
    counters: Arc<Counters>,
}

/// The exchange's view of its upload, wherever that is polled.
#[derive(Default)]
pub(super) struct Watch {
    /// Whether a byte of it went out, or might have.
    begun: AtomicBool,
    fault: AtomicU8,
    /// Bytes so far; also what says that a slow upload makes progress.
    progress: std::sync::atomic::AtomicU64,
}

/// Holds a body back until the upstream asks for it.
#[derive(Default)]
pub(super) struct Gate {
    open: AtomicBool,
    waker: AtomicWaker,
}

impl Gate {
    /// The upstream said 100 (Continue).
    pub(super) fn open(&self) {
        self.open.store(true, Ordering::Release);
        self.waker.wake();
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.open.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Watch {
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Why the upload ended early, if it was not the upstream's fault.
    pub(super) fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Acquire) {
            1 => Some(Fault::UploadBroken),
            2 => Some(Fault::UploadTooLarge),
            3 => Some(Fault::UploadTimeout),
            _ => None,
        }
    }

    fn fails(&self, fault: Fault) {
        let number = match fault {
            Fault::UploadTooLarge => 2,
            Fault::UploadTimeout => 3,
            _ => 1,
        };
        // The first is the cause of the others.
        let _ = self.fault.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Upload {
    pub(super) fn empty() -> Self {
        Upload(None)
    }

    pub(super) fn new(
        body: Content,
        limit: Option<u64>,
        stall: Duration,
        gate: Option<Arc<Gate>>,
        watch: &Arc<Watch>,
        counters: &Arc<Counters>,
    ) -> Self {
        let now = Instant::now();
        // The gate's patience first, then the client's progress.
        let first = if gate.is_some() { PATIENCE } else { stall };
        Upload(Some(Box::new(Sending {
            body,
            room: limit.unwrap_or(u64::MAX),
            stall,
            timer: Box::pin(sleep_until(now + first)),
            last: now,
            gate,
            watch: Arc::clone(watch),
            counters: Arc::clone(counters),
        })))
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        match &mut self.get_mut().0 {
            None => Poll::Ready(None),
            Some(sending) => sending.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|sending| sending.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |sending| sending.body.size_hint())
    }
}

impl Sending {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        if let Some(gate) = &self.gate {
            if gate.poll(cx).is_pending() && self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.gate = None;
            self.last = Instant::now();
            self.timer.as_mut().reset(self.last + self.stall);
        }
        self.watch.begun.store(true, Ordering::Release);
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.last = Instant::now();
                Poll::Ready(Some(self.take(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "an upload broke off");
                Poll::Ready(Some(Err(self.fail(Fault::UploadBroken))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => loop {
                ready!(self.timer.as_mut().poll(cx));
                let end = self.last + self.stall;
                if end <= Instant::now() {
                    return Poll::Ready(Some(Err(self.fail(Fault::UploadTimeout))));
                }
                self.timer.as_mut().reset(end);
            },
        }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, UploadError> {
        let Some(data) = frame.data_ref() else {
            return Ok(match frame.into_trailers() {
                Ok(mut trailers) => {
                    head::remove_where(&mut trailers, is_no_trailer);
                    Frame::trailers(trailers)
                }
                Err(frame) => frame,
            });
        };
        let bytes = data.len() as u64;
        let Some(room) = self.room.checked_sub(bytes) else {
            return Err(self.fail(Fault::UploadTooLarge));
        };
        self.room = room;
        self.watch.progress.fetch_add(bytes, Ordering::Relaxed);
        stats::add(&self.counters.bytes_up, bytes);
        Ok(frame)
    }

    fn fail(&self, fault: Fault) -> UploadError {
        self.watch.fails(fault);
        UploadError(fault)
    }
}

/// Whether a field has no place behind the content: it says where a message ends, whom it is for or who asks, and a
/// reader that joins both would believe it (RFC 9110, section 6.5.1).
fn is_no_trailer(name: &str) -> bool {
    let framing = ["authorization", "content-length", "cookie", "host", "transfer-encoding", "trailer"];
    framing.contains(&name) || name.contains('_') || forwarded::is_believed(name)
}

/// An upload that did not come to its end.
#[derive(Debug)]
pub(super) struct UploadError(Fault);

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the upload ended early: {}", self.0.name())
    }
}

impl std::error::Error for UploadError {}
