//! An exchange under way, from the request's head to the last byte of the response.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use headstart::Decided;
use headstart::policy::{ClientAddress, Peer, Pushed};
use headstart_proxy::UpstreamName;
use http::{Method, StatusCode, Version};

use super::counters::Counters;
use crate::access_log_writer::AccessLog;
use crate::record::{Noted, Record};

/// The observers of responses: the metrics, the access log, both or neither.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    pub(crate) counters: Option<Arc<Counters>>,
    pub(crate) log: Option<AccessLog>,
}

/// Facts for the log alone.
struct ForLog {
    request: Noted,
    client: Option<IpAddr>,
    decided: Option<Decided>,
    upstream: Option<UpstreamName>,
}

/// An exchange under way. Told when it is dropped.
pub(super) struct Open {
    watch: Watch,
    noted: Option<Box<ForLog>>,
    method: Method,
    version: Version,
    /// Made by the driver: for a push, or to compare what a client holds with what is there now.
    for_push: bool,
    began: Instant,
    status: Option<StatusCode>,
    pub(super) bytes: u64,
    /// A byte was asked for.
    pub(super) sent: bool,
    pub(super) complete: bool,
}

impl Open {
    pub(super) fn new(watch: &Watch, head: &http::request::Parts) -> Self {
        let for_push = head.extensions.get::<Pushed>().is_some();
        if let Some(counters) = watch.counters.as_ref().filter(|_| !for_push) {
            counters.begin();
        }
        Self {
            watch: watch.clone(),
            noted: watch.log.as_ref().map(|_| {
                Box::new(ForLog {
                    request: Noted::new(head),
                    client: client(head),
                    decided: head.extensions.get::<Decided>().cloned(),
                    upstream: None,
                })
            }),
            method: head.method.clone(),
            version: head.version,
            for_push,
            began: Instant::now(),
            status: None,
            bytes: 0,
            sent: false,
            complete: false,
        }
    }

    /// The head of the response is there; `upstream` made it, if it was not made here.
    pub(super) fn answered(&mut self, status: StatusCode, upstream: Option<&UpstreamName>) {
        self.status = Some(status);
        if let Some(noted) = &mut self.noted {
            noted.upstream = upstream.cloned();
        }
        if let Some(counters) = self.watch.counters.as_ref().filter(|_| !self.for_push) {
            counters.answered(self.version, status, self.began.elapsed());
        }
    }
}

impl Open {
    /// Whether the response has no body, whatever its head says.
    pub(super) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(counters) = self.watch.counters.as_ref().filter(|_| !self.for_push) {
            counters.end(self.bytes, self.complete);
        }
        // A request on behalf of a push that was then not sent is no traffic.
        if self.for_push && !self.sent {
            return;
        }
        if let (Some(log), Some(noted)) = (&self.watch.log, self.noted.take()) {
            let ForLog { request, client, decided, upstream } = *noted;
            log.write(Record {
                time: SystemTime::now(),
                client,
                request,
                // The client left before there was an answer: nginx's number for it.
                status: self.status.or(StatusCode::from_u16(499).ok()).unwrap_or_default(),
                bytes: self.bytes,
                duration: self.began.elapsed(),
                complete: self.complete,
                early: decided.and_then(|decided| decided.get()),
                pushed: self.for_push,
                upstream: upstream.map(|UpstreamName(name)| name),
            });
        }
    }
}

/// The client's address: as a trusted proxy names it, or the peer.
fn client(head: &http::request::Parts) -> Option<IpAddr> {
    let forwarded = head.extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    let address = forwarded.or_else(|| head.extensions.get::<Peer>().map(|Peer(address)| address.ip()));
    address.map(|address| address.to_canonical())
}
