//! Counts over all responses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{StatusCode, Version};

use super::histogram::Histogram;

/// The protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    pub(crate) const ALL: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Protocol::Http1 => "http1",
            Protocol::Http2 => "http2",
        }
    }

    fn of(version: Version) -> Self {
        if version == Version::HTTP_2 { Protocol::Http2 } else { Protocol::Http1 }
    }
}

/// Classes of status codes, `1xx` to `5xx`.
const CLASSES: usize = 5;

/// Counts since the start. Every number only grows, but for those of requests under way.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Responses to clients' own requests, by protocol and class of status.
    responses: [[AtomicU64; CLASSES]; Protocol::ALL.len()],
    /// Body bytes handed to clients, those of pushes left out.
    bytes: AtomicU64,
    /// Responses whose body was cut off.
    aborted: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    /// From the request's head to the response's head.
    pub(crate) head: Histogram,
}

impl Counters {
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// A response head is there.
    pub(crate) fn answered(&self, version: Version, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1).min(CLASSES - 1);
        if let Some(count) = self.responses.get(Protocol::of(version) as usize).and_then(|by_class| by_class.get(class))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.head.observe(took);
    }

    /// The exchange is over, with so many bytes of body.
    pub(crate) fn end(&self, bytes: u64, complete: bool) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.aborted.fetch_add(u64::from(!complete), Ordering::Relaxed);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Responses by protocol and class of status (1 to 5).
    pub(crate) fn responses(&self) -> impl Iterator<Item = (Protocol, usize, u64)> {
        Protocol::ALL.into_iter().zip(&self.responses).flat_map(|(protocol, by_class)| {
            (1..).zip(by_class).map(move |(class, count)| (protocol, class, count.load(Ordering::Relaxed)))
        })
    }

    pub(crate) fn requests(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn aborted(&self) -> u64 {
        self.aborted.load(Ordering::Relaxed)
    }

    pub(crate) fn under_way(&self) -> u64 {
        // In this order, so that it is never less than none.
        let ended = self.ended.load(Ordering::Relaxed);
        self.begun.load(Ordering::Relaxed).saturating_sub(ended)
    }
}
