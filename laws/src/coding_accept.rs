//! Any `Accept-Encoding` is read, and what it ranks are codings that there are, each once.

use headstart_coding::{Accepted, Coding};
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// One input.
pub fn run(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(100) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(ACCEPT_ENCODING, value);
        }
    }
    let ranked: Vec<Coding> = Accepted::read(&headers).ranked().collect();
    for (at, coding) in ranked.iter().enumerate() {
        assert!(!ranked[..at].contains(coding));
    }
}
