//! Responses of our own.

use headstart_policy::Shares;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};

use super::body::Body;
use super::error::Fault;

/// A short text with the status.
pub(super) fn status(method: &Method, status: StatusCode) -> Response<Body> {
    let text = format!("{} {}\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let length = text.len();
    let mut response = Response::new(Body::known(if *method == Method::HEAD { String::new() } else { text }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The response for a failure: its status, and no details of the servers behind us.
pub(super) fn fault(method: &Method, fault: Fault) -> Response<Body> {
    let mut response = status(method, fault.status());
    if fault == Fault::Full {
        // Without content: a client that takes nothing would hold the stream for it.
        *response.body_mut() = Body::known(String::new());
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        headers.insert(header::CONTENT_LENGTH, 0.into());
        headers.remove(header::CONTENT_TYPE);
    }
    if matches!(fault, Fault::UploadBroken | Fault::UploadTimeout | Fault::UploadTooLarge) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The response to a client that has its share of something: it is told so, or that nobody gets any of it.
pub(super) fn share(method: &Method, of: &Shares) -> Response<Body> {
    let mut response = fault(method, Fault::Full);
    if !of.is_full() {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    response
}

/// A request that could be read in two ways: what follows on its connection is not looked at.
pub(super) fn refused(method: &Method, refusal: StatusCode) -> Response<Body> {
    let mut response = status(method, refusal);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    if refusal == StatusCode::METHOD_NOT_ALLOWED {
        let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
