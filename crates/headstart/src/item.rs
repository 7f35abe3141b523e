//! One asset of a page view, and the name of its push.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use headstart_learn::{Candidate, Destination, Freshness};
use http::HeaderValue;

use crate::attributes::Attributes;
use crate::link;
use crate::need;
use crate::view::Decision;

/// The driver's name for one push.
pub(crate) type Tag = Arc<Push>;

/// One push of a [`ConnectionPolicy`](crate::ConnectionPolicy), as it is known after its page is gone.
#[derive(Debug)]
pub struct Push {
    /// Its place among the items.
    pub(crate) item: usize,
    /// Which of the connection's views it belongs to.
    pub(crate) view: u64,
    pub(crate) authority: Arc<str>,
    pub(crate) page: Arc<str>,
    pub(crate) asset: Arc<str>,
    pub(crate) bytes: AtomicU64,
}

/// One asset of the view.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) path: Arc<str>,
    pub(crate) destination: Destination,
    pub(crate) cors: bool,
    pub(crate) bytes: u64,
    pub(crate) validator: u64,
    pub(crate) freshness: Freshness,
    /// How urgent the page needs it (RFC 9218), 1 to 7.
    pub(crate) urgency: u8,
    pub(crate) decision: Decision,
    /// Not to be pushed to this client, even if it turns out that what it holds has changed.
    pub(crate) barred: bool,
    /// The driver was asked to push or verify it.
    pub(crate) promised: bool,
}

impl Item {
    pub(crate) fn named(path: Arc<str>, destination: Destination, cors: bool) -> Self {
        let (bytes, validator, freshness) = (0, 0, Freshness::Stale);
        Item {
            path,
            destination,
            cors,
            bytes,
            validator,
            freshness,
            urgency: need::urgency(None, destination, cors),
            decision: Decision::Held,
            barred: false,
            promised: false,
        }
    }

    pub(crate) fn learned(candidate: &Candidate) -> Self {
        Item {
            path: Arc::clone(&candidate.path),
            destination: candidate.destination,
            cors: candidate.cors,
            bytes: candidate.bytes,
            validator: candidate.validator,
            freshness: candidate.freshness,
            urgency: need::urgency(candidate.urgency, candidate.destination, candidate.cors),
            decision: Decision::Held,
            barred: false,
            promised: false,
        }
    }

    pub(crate) fn link(&self) -> Option<HeaderValue> {
        link::preload(&self.path, self.destination, &Attributes::of_mode(self.destination, self.cors), None)
    }
}
