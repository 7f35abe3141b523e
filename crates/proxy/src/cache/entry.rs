//! One stored response: what a request is answered with, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};
use http_cache_semantics::{CacheOptions, CachePolicy, RequestLike};

use crate::encoding::name_plain_form;
use crate::head::{varies_by_coding, vary_by_coding};

const OPTIONS: CacheOptions = CacheOptions {
    shared: true,
    cache_heuristic: 0.0,
    immutable_min_time_to_live: Duration::ZERO,
    ignore_cargo_cult: false,
};

/// Longest time that a stale response is shown for, whatever the upstream says. 30 days.
const MAX_STALE: u64 = 30 * 24 * 60 * 60;

/// Fields of a 304 that say nothing of the stored response, or that describe a content which did not come.
const NOT_REFRESHED: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_TYPE, header::CONTENT_RANGE];

/// A stored response.
pub(super) struct Stored {
    pub(super) policy: CachePolicy,
    head: HeaderMap,
    body: Bytes,
    /// When it becomes stale, and how long from then on it may be shown: while it is asked for anew, and instead of an
    /// error (RFC 5861).
    stale_from: SystemTime,
    while_revalidate: Duration,
    if_error: Duration,
    /// It has to be confirmed by the upstream before it is given again.
    suspect: AtomicBool,
}

/// The head of a response that may be kept.
pub(super) struct Keepable {
    policy: CachePolicy,
    head: HeaderMap,
}

impl Keepable {
    /// `None` if the response has no lifetime that the upstream gave it, or may not be kept for another reason.
    pub(super) fn new(request: &Parts, head: HeaderMap, now: SystemTime) -> Option<Self> {
        let mut response = Response::new(());
        *response.headers_mut() = head;
        let policy = CachePolicy::new_options(request, &response, now, OPTIONS);
        let keeps = policy.is_storable() && !policy.time_to_live(now).is_zero();
        keeps.then(|| Keepable { policy, head: std::mem::take(response.headers_mut()) })
    }

    pub(super) fn with(self, body: Bytes, now: SystemTime) -> Stored {
        let (while_revalidate, if_error) = windows(&self.head);
        let stale_from = now + self.policy.time_to_live(now).min(Duration::from_secs(MAX_STALE));
        Stored {
            policy: self.policy,
            head: self.head,
            body,
            stale_from,
            while_revalidate,
            if_error,
            suspect: AtomicBool::new(false),
        }
    }
}

impl Stored {
    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }

    pub(super) fn head(&self) -> &HeaderMap {
        &self.head
    }

    /// Whether it may have changed since.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Whether the upstream can be asked for what differs from it.
    pub(super) fn has_validator(&self) -> bool {
        self.head.contains_key(header::ETAG) || self.head.contains_key(header::LAST_MODIFIED)
    }

    /// The response for a client that sent these fields.
    pub(super) fn answer(&self, asked: &HeaderMap, method: &Method, now: SystemTime) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.headers_mut() = self.head.clone();
        response.headers_mut().insert(header::AGE, self.policy.age(now).as_secs().into());
        if self.is_held_by(asked) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_LENGTH);
            return response;
        }
        response.headers_mut().insert(header::CONTENT_LENGTH, self.body.len().into());
        if *method != Method::HEAD {
            *response.body_mut() = self.body.clone();
        }
        response
    }

    /// Whether it may be shown while it is asked for anew (`stale-while-revalidate`).
    pub(super) fn serves_while_revalidated(&self, now: SystemTime) -> bool {
        !self.is_suspect() && now < self.stale_from + self.while_revalidate
    }

    /// Whether it may be shown instead of an error (`stale-if-error`).
    pub(super) fn serves_if_error(&self, now: SystemTime) -> bool {
        now < self.stale_from + self.if_error
    }

    /// Makes a request one for what differs from this.
    pub(super) fn make_conditional(&self, headers: &mut HeaderMap) {
        for (validator, condition) in
            [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)]
        {
            if let Some(value) = self.head.get(validator) {
                headers.insert(condition, value.clone());
            }
        }
        // The tag of a form that was coded here was made weak here.
        if self.head.contains_key(header::CONTENT_ENCODING) {
            name_plain_form(headers);
        }
    }

    /// The upstream said 304: the same content with what was said anew (RFC 9111, section 4.3.4), as it is shown, and
    /// as it is kept if it still may be.
    pub(super) fn refreshed(&self, request: &Parts, said: &HeaderMap, now: SystemTime) -> Option<Self> {
        let mut head = self.head.clone();
        for name in said.keys().filter(|name| !NOT_REFRESHED.contains(name)) {
            head.remove(name);
            for value in said.get_all(name) {
                head.append(name.clone(), value.clone());
            }
        }
        // The coded form was made here, and varies whether or not the upstream knows of it.
        if head.contains_key(header::CONTENT_ENCODING) && varies_by_coding(&self.head) {
            vary_by_coding(&mut head);
        }
        // The age was that of the response before.
        if !said.contains_key(header::AGE) {
            head.remove(header::AGE);
        }
        Keepable::new(request, head, now).map(|head| head.with(self.body.clone(), now))
    }

    /// Whether the client's own copy is this one (RFC 9110, section 13.2.2).
    fn is_held_by(&self, asked: &HeaderMap) -> bool {
        if asked.contains_key(header::IF_NONE_MATCH) {
            let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
            let Some(own) = self.head.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(opaque) else {
                return false;
            };
            let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            return tags.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || opaque(tag) == own);
        }
        match (asked.get(header::IF_MODIFIED_SINCE), self.head.get(header::LAST_MODIFIED)) {
            (Some(since), Some(modified)) => since == modified,
            _ => false,
        }
    }
}

/// For how long the upstream lets a stale response be shown: while it is asked for anew, and instead of an error. Where
/// it wants every stale response validated, for no time at all; `s-maxage`, which implies the same, is taken for less
/// explicit than the words themselves.
fn windows(head: &HeaderMap) -> (Duration, Duration) {
    let values = head.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let says = |name: &str| directives.iter().any(|directive| directive.eq_ignore_ascii_case(name));
    if says("must-revalidate") || says("proxy-revalidate") || says("no-cache") {
        return (Duration::ZERO, Duration::ZERO);
    }
    let seconds = |name: &str| {
        let value = directives.iter().find_map(|directive| {
            let (found, value) = directive.split_once('=')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
        });
        Duration::from_secs(value.and_then(|value| value.parse().ok()).unwrap_or(0).min(MAX_STALE))
    };
    (seconds("stale-while-revalidate"), seconds("stale-if-error"))
}

/// A request for what a key names, so that only its fields decide. Without `Host`, which is in the key; what answers GET
/// answers HEAD.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a>(pub(super) &'a Parts);

impl RequestLike for Asked<'_> {
    fn uri(&self) -> Uri {
        self.0.uri.clone()
    }

    fn is_same_uri(&self, _: &Uri) -> bool {
        true
    }

    fn method(&self) -> &Method {
        if self.0.method == Method::HEAD { &Method::GET } else { &self.0.method }
    }

    fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

/// The fields of a client that say what it holds.
pub(super) fn take_conditions(headers: &mut HeaderMap) -> HeaderMap {
    let mut taken = HeaderMap::new();
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
        let values: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
        headers.remove(&name);
        taken.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    taken
}

/// Http2 by all who are answered from it.
pub(super) type Entry = Arc<Stored>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_stale_responses_are_shown() {
        let said = |value: &str| {
            let head: HeaderMap = [(header::CACHE_CONTROL, value.parse().unwrap())].into_iter().collect();
            let (revalidate, error) = windows(&head);
            (revalidate.as_secs(), error.as_secs())
        };
        assert_eq!(said("max-age=1"), (0, 0));
        assert_eq!(said("max-age=1, Stale-While-Revalidate=10, stale-if-error=\"20\""), (10, 20));
        assert_eq!(said("s-maxage=1, stale-while-revalidate=99999999999"), (MAX_STALE, 0));
        assert_eq!(said("max-age=1, must-revalidate, stale-if-error=20"), (0, 0));
        assert_eq!(said("max-age=1, stale-if-error=x, stale-while-revalidate"), (0, 0));
    }
}
