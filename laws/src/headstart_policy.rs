//! Any request heads and response heads, as a client and an application could send them, one after another on one
//! connection. What is promised is a path of this site, a cookie fits, and every head stays one.
//!
//! Input: lines. A line that begins with `>` is the path of a request, with `<` the status of its response; lines
//! after these are their fields.

use std::sync::LazyLock;

use headstart::Headstart;
use headstart::policy::{Attempt, Client, Policy};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::SizeHint;

static HEADSTART: LazyLock<Headstart> = LazyLock::new(|| {
    let builder = Headstart::builder().min_networks(1).holdout(8).memory_bytes(1 << 20).secret([7; 32]);
    builder.build().expect("the settings are in range")
});

/// One input.
pub fn run(bytes: &[u8]) {
    let mut policy = HEADSTART.policy(([192, 0, 2, 1], 443).into());
    let mut lines = bytes.split(|byte| *byte == b'\n').take(64).peekable();
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix(b">") else { continue };
        let Ok(uri) = http::Uri::try_from([b"https://a.example", path].concat()) else { continue };
        let (mut request, ()) = Request::get(uri).body(()).expect("a GET of a valid URI").into_parts();
        request.headers = fields(&mut lines);
        let status = lines.next_if(|line| line.starts_with(b"<"));
        let status = status.and_then(|line| StatusCode::from_bytes(line.get(1..)?).ok()).unwrap_or_default();
        let (mut response, ()) = Response::new(()).into_parts();
        response.status = status;
        response.headers = fields(&mut lines);
        exchange(&mut policy, bytes.len().is_multiple_of(2), request, response);
    }
    HEADSTART.finish();
}

fn exchange(
    policy: &mut impl Policy,
    push: bool,
    mut request: http::request::Parts,
    mut response: http::response::Parts,
) {
    let opening = policy.request(Client::new(push), &mut request);
    assert!(opening.early_hints.is_none() || opening.promises.is_empty(), "one way for one client");
    let mut exchange = opening.exchange;
    let mut promises = opening.promises;
    match policy.response(&mut exchange, &mut response, &SizeHint::new()) {
        headstart::policy::Pushes::Drop => promises.clear(),
        headstart::policy::Pushes::Keep(more) => promises.extend(more),
    }
    assert!(push || promises.is_empty());
    let mut attempts = Vec::new();
    for promise in promises {
        let path = promise.path.as_str();
        assert!(path.starts_with('/') && path != request.uri.path(), "{path}");
        assert!(!promise.headers.contains_key(header::COOKIE) && !promise.headers.contains_key(header::AUTHORIZATION));
        let (mut asset, ()) = Response::new(()).into_parts();
        asset.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css"));
        if policy.admit(&mut exchange, &promise, &mut asset, &SizeHint::with_exact(path.len() as u64)) {
            attempts.push(Attempt { tag: promise.tag, refusal: None });
        }
    }
    assert!(attempts.len() <= 16);
    policy.commit(&mut exchange, &mut response, &attempts);
    for cookie in response.headers.get_all(header::SET_COOKIE) {
        assert!(!cookie.as_bytes().starts_with(b"__Host-headstart=") || cookie.len() < 1_200);
    }
    policy.ended(exchange, true);
}

/// Fields up to the next line that begins a head.
fn fields<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a [u8]>>) -> HeaderMap {
    let mut fields = HeaderMap::new();
    while let Some(line) = lines.next_if(|line| !line.starts_with(b">") && !line.starts_with(b"<")) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()))
        {
            fields.append(name, value);
        }
    }
    fields
}
