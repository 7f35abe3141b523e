//! `[beacon]`: the script that measures page views in browsers, and the place that it reports to.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use headstart::policy::{ClientAddress, Peer};
use headstart::{
    BEACON_PATH, BEACON_PREFIX, BEACON_SCRIPT, BEACON_SCRIPT_PATH, BeaconRefusal, Headstart, MAX_BEACON_BYTES,
};
use headstart_coding::{Accepted, Coding, Levels, compress};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;

use crate::routes;

/// Beacons that are read at once, each at most 16 KiB; further ones are refused.
const MAX_READING: usize = 256;

/// Answers requests below `/.well-known/headstart/`. Clones share what they count.
#[derive(Clone)]
pub(crate) struct Beacons(Arc<Shared>);

struct Shared {
    headstart: Headstart,
    /// The script in each coding that made it smaller.
    forms: Vec<(Coding, Bytes)>,
    reading: AtomicUsize,
}

/// An answer, or what leads to one.
pub(crate) enum Answer {
    Ready(Option<Response<Bytes>>),
    Reading(Box<Reading>),
}

impl Beacons {
    pub(crate) fn new(headstart: Headstart) -> Self {
        let form =
            |coding| Some((coding, Bytes::from(compress(coding, Levels::default(), BEACON_SCRIPT.as_bytes()).ok()?)));
        let forms = Coding::ALL.into_iter().filter_map(form).collect();
        Self(Arc::new(Shared { headstart, forms, reading: AtomicUsize::new(0) }))
    }

    /// Whether a request is for this.
    pub(crate) fn is_for<B>(request: &Request<B>) -> bool {
        request.uri().path().starts_with(BEACON_PREFIX)
    }

    pub(crate) fn answer(&self, request: Request<headstart::Body>) -> Answer {
        let (head, body) = request.into_parts();
        let response = match (head.uri.path(), &head.method) {
            (BEACON_SCRIPT_PATH, &Method::GET | &Method::HEAD) => self.script(&head),
            (BEACON_PATH, &Method::POST) => match self.read(head, body) {
                Ok(reading) => return Answer::Reading(Box::new(reading)),
                Err(refusal) => empty(status(Err(refusal))),
            },
            (BEACON_SCRIPT_PATH, _) => with(empty(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, "GET, HEAD"),
            (BEACON_PATH, _) => with(empty(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, "POST"),
            _ => empty(StatusCode::NOT_FOUND),
        };
        Answer::Ready(Some(response))
    }

    fn script(&self, head: &http::request::Parts) -> Response<Bytes> {
        let accepted = Accepted::read(&head.headers);
        let coded = accepted.ranked().find_map(|coding| self.0.forms.iter().find(|(known, _)| *known == coding));
        let content = coded.map_or(Bytes::from_static(BEACON_SCRIPT.as_bytes()), |(_, bytes)| bytes.clone());
        let length = content.len();
        let mut response = Response::new(if head.method == Method::HEAD { Bytes::new() } else { content });
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_LENGTH, length.into());
        if let Some((coding, _)) = coded {
            fields.insert(header::CONTENT_ENCODING, coding.value());
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=86400"),
            (header::VARY, "accept-encoding"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            fields.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Begins to read a beacon that may be read.
    fn read(&self, head: http::request::Parts, body: headstart::Body) -> Result<Reading, BeaconRefusal> {
        let client = client(&head).ok_or(BeaconRefusal::Malformed)?;
        self.0.headstart.admit_beacon(client)?;
        let refuse = |refusal| {
            self.0.headstart.refuse_beacon(refusal);
            Err(refusal)
        };
        if body.size_hint().lower() > MAX_BEACON_BYTES as u64 {
            return refuse(BeaconRefusal::TooLarge);
        }
        if self.0.reading.fetch_add(1, Ordering::Relaxed) >= MAX_READING {
            self.0.reading.fetch_sub(1, Ordering::Relaxed);
            return refuse(BeaconRefusal::TooMany);
        }
        let authority = routes::authority(&head.uri, &head.headers).unwrap_or_default().to_owned();
        Ok(Reading { beacons: self.clone(), client, authority, headers: head.headers, body, bytes: Vec::new() })
    }
}

/// The client's address: as a trusted proxy names it, or the peer.
fn client(head: &http::request::Parts) -> Option<IpAddr> {
    let named = head.extensions.get().map(|ClientAddress(address)| *address);
    named.or_else(|| head.extensions.get().map(|Peer(address)| address.ip()))
}

/// A beacon whose body is being read.
pub(crate) struct Reading {
    beacons: Beacons,
    client: IpAddr,
    authority: String,
    headers: HeaderMap,
    body: headstart::Body,
    bytes: Vec<u8>,
}

impl Reading {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response<Bytes>> {
        let headstart = &self.beacons.0.headstart;
        let taken = loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    if self.bytes.len() + data.len() > MAX_BEACON_BYTES {
                        headstart.refuse_beacon(BeaconRefusal::TooLarge);
                        break Err(BeaconRefusal::TooLarge);
                    }
                    self.bytes.extend_from_slice(&data);
                }
                Some(Err(_)) => {
                    headstart.refuse_beacon(BeaconRefusal::Malformed);
                    break Err(BeaconRefusal::Malformed);
                }
                None => break headstart.take_beacon(self.client, &self.authority, &self.headers, &self.bytes),
            }
        };
        Poll::Ready(empty(status(taken)))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.beacons.0.reading.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The status of the response. A refusal that an honest browser may cause without knowing, as by a page of its cache,
/// is no error to it.
fn status(taken: Result<(), BeaconRefusal>) -> StatusCode {
    match taken {
        Err(BeaconRefusal::TooMany) => StatusCode::TOO_MANY_REQUESTS,
        Err(BeaconRefusal::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Err(BeaconRefusal::Malformed | BeaconRefusal::Forged) => StatusCode::BAD_REQUEST,
        _ => StatusCode::NO_CONTENT,
    }
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn with(mut response: Response<Bytes>, name: HeaderName, value: &'static str) -> Response<Bytes> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_small_and_can_be_decoded() {
        let headstart = Headstart::builder().memory_bytes(1 << 20).beacon(true).build().expect("settings in range");
        let beacons = Beacons::new(headstart);
        assert_eq!(beacons.0.forms.len(), Coding::ALL.len());
        for (coding, bytes) in &beacons.0.forms {
            assert!(bytes.len() <= 1536, "{} bytes as {}", bytes.len(), coding.name());
        }
    }
}
