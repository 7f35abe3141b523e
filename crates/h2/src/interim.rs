//! Interim responses (1xx) that the service, or its reading of the body, asks for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Response, StatusCode};

use crate::head;

/// Sends 103 (Early Hints) from within a handler. The driver puts one into the extensions of each request.
///
/// A handler that knows what its page needs before the page is ready sends it here:
///
/// ```
/// use http::{HeaderMap, HeaderValue, Request, header};
/// use headstart_h2::EarlyHints;
///
/// fn hint<B>(request: &Request<B>) {
///     if let Some(hints) = request.extensions().get::<EarlyHints>() {
///         let mut fields = HeaderMap::new();
///         fields.insert(header::LINK, HeaderValue::from_static("</app.css>; rel=preload; as=style"));
///         hints.send(fields);
///     }
/// }
/// ```
///
/// Browsers act on the first 103 of a navigation only (RFC 8297 allows several; Chromium 156 ignores the rest),
/// so after a policy sent one this sends nothing more.
#[derive(Clone, Debug)]
pub struct EarlyHints(pub(crate) Arc<Interim>);

impl EarlyHints {
    /// Queues a 103 with these fields. `false` if one went out already or the final head did.
    pub fn send(&self, fields: HeaderMap) -> bool {
        self.0.hint(fields)
    }
}

/// Shared between a handler, its request's body and the driver.
#[derive(Debug, Default)]
pub(crate) struct Interim {
    /// The handler reads a body that the client holds back (RFC 9110, section 10.1.1).
    go_on: AtomicBool,
    /// `go_on` or `waiting` was set.
    waits: AtomicBool,
    hinted: AtomicBool,
    closed: AtomicBool,
    waiting: Mutex<Option<HeaderMap>>,
    driver: AtomicWaker,
}

impl Interim {
    pub(crate) fn go_on(&self) {
        self.go_on.store(true, Ordering::Release);
        self.waits.store(true, Ordering::Release);
        self.driver.wake();
    }

    /// The driver sent a 103 itself.
    pub(crate) fn hinted(&self) {
        self.hinted.store(true, Ordering::Release);
    }

    /// The final head is out: nothing interim may follow it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn hint(&self, fields: HeaderMap) -> bool {
        if self.closed.load(Ordering::Acquire) || self.hinted.swap(true, Ordering::AcqRel) {
            return false;
        }
        let Ok(mut waiting) = self.waiting.lock() else {
            return false;
        };
        *waiting = Some(fields);
        drop(waiting);
        self.waits.store(true, Ordering::Release);
        self.driver.wake();
        true
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    /// Sends what waits.
    pub(crate) fn send(&self, respond: &mut SendResponse<Bytes>) {
        while self.waits.swap(false, Ordering::AcqRel) {
            if self.go_on.swap(false, Ordering::AcqRel) {
                send(respond, StatusCode::CONTINUE, HeaderMap::new());
            }
            if let Some(mut fields) = self.waiting.lock().ok().and_then(|mut waiting| waiting.take()) {
                head::remove_hop_by_hop(&mut fields);
                send(respond, StatusCode::EARLY_HINTS, fields);
            }
        }
    }
}

fn send(respond: &mut SendResponse<Bytes>, status: StatusCode, fields: HeaderMap) {
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    // Refused only for a stream that is gone, which ends the exchange by itself.
    let _ = respond.send_informational(response);
}
