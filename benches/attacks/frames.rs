//! Heads of requests to the site that is attacked.

use super::AUTHORITY;
pub(crate) use testkit::frames::*;

/// The field block of a request: 20 to 40 bytes, and the more fields.
pub(crate) fn block(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    testkit::frames::block(AUTHORITY, method, path, more)
}

/// A GET of a page as one who navigates to it.
pub(crate) fn navigation(stream: u32, path: &str) -> Vec<u8> {
    let fields = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    head(stream, true, &block("GET", path, &fields))
}

/// The same of a host that the client names.
pub(crate) fn navigation_to(stream: u32, host: &str, path: &str) -> Vec<u8> {
    let fields = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    head(stream, true, &testkit::frames::block(host, "GET", path, &fields))
}

/// A request without a body.
pub(crate) fn request(stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    head(stream, true, &block(method, path, more))
}

pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    head(stream, true, &block("GET", path, &[]))
}

/// A request whose body is to follow.
pub(crate) fn post(stream: u32, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    head(stream, false, &block("POST", path, more))
}

/// Cancels a stream.
pub(crate) fn rst(stream: u32) -> Vec<u8> {
    testkit::frames::rst(stream, CANCEL)
}
