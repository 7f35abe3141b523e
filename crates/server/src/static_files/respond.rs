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

/// Answers a GET or HEAD for a file that is there.
pub(super) fn file(method: &Method, headers: &HeaderMap, representation: &Representation) -> Response<Body> {
    match conditional::evaluate(headers, representation) {
        Decision::NotModified => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().insert(header::ETAG, representation.etag.clone());
            response.headers_mut().insert(header::CACHE_CONTROL, representation.cache_control.clone());
            return response;
        }
        Decision::PreconditionFailed => return message(StatusCode::PRECONDITION_FAILED),
        Decision::Proceed => {}
    }
    let mut response = match requested(method, headers, representation) {
        Requested::Whole => {
            let mut response = whole(representation);
            response.headers_mut().insert(header::CONTENT_TYPE, representation.content_type.clone());
            response
        }
        Requested::Part(part) => {
            let mut response = one_part(representation, part);
            response.headers_mut().insert(header::CONTENT_TYPE, representation.content_type.clone());
            response
        }
        Requested::Parts(parts) => several_parts(representation, &parts),
        Requested::Unsatisfiable => {
            let mut response = message(StatusCode::RANGE_NOT_SATISFIABLE);
            response.headers_mut().insert(header::CONTENT_RANGE, text(format!("bytes */{}", representation.len)));
            return response;
        }
    };
    let fields = response.headers_mut();
    fields.insert(header::ETAG, representation.etag.clone());
    if let Some(modified) = &representation.modified {
        fields.insert(header::LAST_MODIFIED, modified.header.clone());
    }
    fields.insert(header::CACHE_CONTROL, representation.cache_control.clone());
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    without_body_for_head(method, response)
}

/// Answers with the site's own page for an error.
pub(super) fn error_page(method: &Method, status: StatusCode, page: &Representation) -> Response<Body> {
    let mut response = whole(page);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, page.content_type.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    without_body_for_head(method, response)
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
    if status == StatusCode::METHOD_NOT_ALLOWED {
        fields.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
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

/// Ranges are defined for GET alone (RFC 9110, section 14.2).
fn requested(method: &Method, headers: &HeaderMap, representation: &Representation) -> Requested {
    let mut values = headers.get_all(header::RANGE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if *method == Method::GET && conditional::range_applies(headers, representation) => {
            value.to_str().map_or(Requested::Whole, |value| range::parse(value, representation.len))
        }
        _ => Requested::Whole,
    }
}

fn whole(representation: &Representation) -> Response<Body> {
    let body = match &representation.content {
        Content::Memory(bytes) => Body::full(bytes.clone()),
        Content::Disk(_) => Body::pieces(VecDeque::from_iter(segment(representation, 0..representation.len))),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_LENGTH, representation.len.into());
    response
}

fn one_part(representation: &Representation, part: Range<u64>) -> Response<Body> {
    let length = part.end.saturating_sub(part.start);
    let content_range = content_range(&part, representation.len);
    let body = Body::pieces(VecDeque::from_iter(segment(representation, part)));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response.headers_mut().insert(header::CONTENT_RANGE, text(content_range));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

/// The parts in a `multipart/byteranges` body (RFC 9110, section 14.6).
fn several_parts(representation: &Representation, parts: &[Range<u64>]) -> Response<Body> {
    // Drawn anew for each response, so that no file can hold the line that ends a part.
    let boundary = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
    let content_type = representation.content_type.to_str().unwrap_or("application/octet-stream");
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
