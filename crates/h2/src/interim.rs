//! Interim responses (1xx) that the service, or its reading of the body, asks for.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use h2::server::SendResponse;
use headstart_policy::EarlyHintsSender;
use http::{HeaderMap, Response, StatusCode};

use crate::head;

/// Interim responses that wait to be passed on; more are dropped.
const MAX_RELAYED: usize = 8;

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
    /// Interim responses of an upstream that are passed on; at most [`MAX_RELAYED`].
    relayed: Mutex<Vec<(StatusCode, HeaderMap)>>,
    driver: AtomicWaker,
}

impl Interim {
    pub(crate) fn go_on(&self) {
        self.go_on.store(true, Ordering::Release);
        self.waits.store(true, Ordering::Release);
        self.driver.wake();
    }

    /// Sends the 103 of the policy, before the service is called.
    pub(crate) fn send_early_hints(&self, respond: &mut SendResponse<Bytes>, mut fields: HeaderMap) {
        self.hinted.store(true, Ordering::Release);
        head::remove_hop_by_hop(&mut fields);
        send(respond, StatusCode::EARLY_HINTS, fields);
    }

    /// The final head is out: nothing interim may follow it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    /// Sends what waits.
    pub(crate) fn flush(&self, respond: &mut SendResponse<Bytes>) {
        while self.waits.swap(false, Ordering::AcqRel) {
            if self.go_on.swap(false, Ordering::AcqRel) {
                send(respond, StatusCode::CONTINUE, HeaderMap::new());
            }
            let relayed = self.relayed.lock().map(|mut relayed| std::mem::take(&mut *relayed)).unwrap_or_default();
            for (status, mut fields) in relayed {
                head::remove_hop_by_hop(&mut fields);
                send(respond, status, fields);
            }
            if let Some(mut fields) = self.waiting.lock().ok().and_then(|mut waiting| waiting.take()) {
                head::remove_hop_by_hop(&mut fields);
                send(respond, StatusCode::EARLY_HINTS, fields);
            }
        }
    }
}

impl EarlyHintsSender for Interim {
    fn send(&self, fields: HeaderMap) -> bool {
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

    fn relay(&self, status: StatusCode, fields: HeaderMap) -> bool {
        if self.is_closed() {
            return false;
        }
        let Ok(mut relayed) = self.relayed.lock() else { return false };
        if relayed.len() >= MAX_RELAYED {
            return false;
        }
        relayed.push((status, fields));
        drop(relayed);
        self.waits.store(true, Ordering::Release);
        self.driver.wake();
        true
    }
}

fn send(respond: &mut SendResponse<Bytes>, status: StatusCode, fields: HeaderMap) {
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    // Refused only for a stream that is gone, which ends the exchange by itself.
    let _ = respond.send_informational(response);
}
