//! From a file and a request to a response.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::body::{Body, Segment};
use super::cache_control::REVALIDATE;
use super::conditional::{self, Decision};
use super::range::{self, Requested};
use super::representation::{Content, Representation};

/// Answers a GET or HEAD with a file that is there, in the form that was chosen.
pub(super) fn file(method: &Method, headers: &HeaderMap, representation: &Representation) -> Response<Body> {
    if conditional::is_conditional(headers) {
        match conditional::evaluate(headers, representation) {
            Decision::NotModified => return not_modified(representation),
            Decision::PreconditionFailed => {
                return without_body_for_head(method, message(StatusCode::PRECONDITION_FAILED));
            }
            Decision::Proceed => {}
        }
    }
    let response = match requested(method, headers, representation) {
        Requested::Whole => whole(method, representation),
        Requested::Part(part) => one_part(representation, part),
        Requested::Parts(parts) => several_parts(representation, &parts),
        Requested::Unsatisfiable => {
            let mut response = message(StatusCode::RANGE_NOT_SATISFIABLE);
            response.headers_mut().insert(header::CONTENT_RANGE, text(format!("bytes */{}", representation.len)));
            return response;
        }
    };
    without_body_for_head(method, response)
}

/// Does the request ask for a part of the file? Parts are of the plain content.
pub(super) fn asks_for_part(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::GET && headers.contains_key(header::RANGE)
}

/// Answers with the site's own page for an error.
pub(super) fn error_page(method: &Method, status: StatusCode, page: &Representation) -> Response<Body> {
    let mut response = whole(method, page);
    *response.status_mut() = status;
    let fields = response.headers_mut();
    for of_the_file in [header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES] {
        fields.remove(of_the_file);
    }
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add_allow(&mut response);
    without_body_for_head(method, response)
}

/// Has the fields that a 304 must repeat (RFC 9110, section 15.4.5) and those of the site, which clients update with it; not
/// those that describe a content that does not come.
fn not_modified(representation: &Representation) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let fields = response.headers_mut();
    fields.clone_from(&representation.head);
    for of_the_content in [
        header::ACCEPT_RANGES,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::LAST_MODIFIED,
        header::X_CONTENT_TYPE_OPTIONS,
    ] {
        fields.remove(of_the_content);
    }
    response
}

fn add_allow(response: &mut Response<Body>) {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
}

/// Answers with the reason of the status in one line.
pub(super) fn message(status: StatusCode) -> Response<Body> {
    let line = format!("{} {}\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let mut response = Response::new(Body::full(line.into_bytes().into()));
    *response.status_mut() = status;
    let length = http_body::Body::size_hint(response.body()).lower();
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    fields.insert(header::CONTENT_LENGTH, length.into());
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    add_allow(&mut response);
    response
}

/// Answers that too many files are open, without content: a client that takes nothing would hold the stream for it.
pub(super) fn busy() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers a CORS preflight (Fetch, "CORS-preflight fetch") where the fields of the site allow the origin.
pub(super) fn preflight(own_fields: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let fields = response.headers_mut();
    fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    fields.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    fields.extend(own_fields);
    response
}

/// Sends the client to the same address with a slash at the end of its path.
pub(super) fn add_slash(uri: &http::Uri) -> Response<Body> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(location) = HeaderValue::try_from(format!("{}/{query}", uri.path())) else {
        return message(StatusCode::NOT_FOUND);
    };
    let mut response = message(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATE));
    response
}

/// A response to HEAD has the header of the answer to GET, and no body.
pub(super) fn without_body_for_head(method: &Method, response: Response<Body>) -> Response<Body> {
    if *method == Method::HEAD { response.map(|_| Body::empty()) } else { response }
}

/// Ranges are defined for GET alone (RFC 9110, section 14.2), and of the plain content.
fn requested(method: &Method, headers: &HeaderMap, representation: &Representation) -> Requested {
    if !asks_for_part(method, headers) || representation.head.contains_key(header::CONTENT_ENCODING) {
        return Requested::Whole;
    }
    let mut values = headers.get_all(header::RANGE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if conditional::range_applies(headers, representation) => {
            value.to_str().map_or(Requested::Whole, |value| range::parse(value, representation.len))
        }
        _ => Requested::Whole,
    }
}

fn whole(method: &Method, representation: &Representation) -> Response<Body> {
    let body = match &representation.content {
        _ if *method == Method::HEAD => Body::empty(),
        Content::Memory(bytes) => Body::full(bytes.clone()),
        Content::Disk(_) => Body::pieces(VecDeque::from_iter(segment(representation, 0..representation.len))),
    };
    let mut response = Response::new(body);
    *response.headers_mut() = representation.head.clone();
    response
}

fn one_part(representation: &Representation, part: Range<u64>) -> Response<Body> {
    let length = part.end.saturating_sub(part.start);
    let content_range = content_range(&part, representation.len);
    let body = Body::pieces(VecDeque::from_iter(segment(representation, part)));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    *response.headers_mut() = representation.head.clone();
    response.headers_mut().insert(header::CONTENT_RANGE, text(content_range));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

/// The parts in a `multipart/byteranges` body (RFC 9110, section 14.6).
fn several_parts(representation: &Representation, parts: &[Range<u64>]) -> Response<Body> {
    // Random for each response, so that no file can hold the line that ends a part.
    let boundary = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
    let content_type = representation.head.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/octet-stream");
    let mut segments = VecDeque::new();
    for part in parts {
        let range = content_range(part, representation.len);
        let head = format!("\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {range}\r\n\r\n");
        segments.push_back(Segment::Memory(head.into_bytes().into()));
        segments.extend(segment(representation, part.clone()));
    }
    segments.push_back(Segment::Memory(format!("\r\n--{boundary}--\r\n").into_bytes().into()));
    let body = Body::pieces(segments);
    let length = http_body::Body::size_hint(&body).lower();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    *response.headers_mut() = representation.head.clone();
    response.headers_mut().insert(header::CONTENT_TYPE, text(format!("multipart/byteranges; boundary={boundary}")));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

fn segment(representation: &Representation, part: Range<u64>) -> Option<Segment> {
    match &representation.content {
        Content::Memory(bytes) => slice(bytes, part).map(Segment::Memory),
        Content::Disk(file) => Some(Segment::File(Arc::clone(file), part)),
    }
}

/// A share of the bytes, not a copy.
fn slice(bytes: &Bytes, part: Range<u64>) -> Option<Bytes> {
    let part = usize::try_from(part.start).ok()?..usize::try_from(part.end).ok()?;
    bytes.get(part).map(|slice| bytes.slice_ref(slice))
}

fn content_range(part: &Range<u64>, len: u64) -> String {
    format!("bytes {}-{}/{len}", part.start, part.end.saturating_sub(1))
}

/// A header value of digits and letters of our own.
fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""))
}
