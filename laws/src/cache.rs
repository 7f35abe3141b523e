//! Whatever servers say of a response, and in whatever order clients ask: who is given what another client asked for could
//! have been given it by its head (RFC 9111, section 3).
//!
//! Input: steps. A step is a line that says who asks and how, and the fields of the answer up to an empty line.

use std::sync::LazyLock;

use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, Full};
use tower::Service as _;

use crate::answers::Answers;

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| Answers::start("http"));

const MAX_STEPS: usize = 12;

/// One input.
///
/// # Panics
///
/// If something was given to somebody whom it is not for.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r')).take(256);
    // What inputs before this one left is not asked for again.
    let own = next();
    for _ in 0..MAX_STEPS {
        let Some(step) = lines.next() else { return };
        let fields: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        one(own, step.as_bytes(), &fields);
    }
}

fn next() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn one(own: u64, step: &[u8], fields: &[&str]) {
    let bit = |at: usize| step.get(at).copied().unwrap_or_default();
    let (client, path) = (bit(0) % 4, bit(1) % 3);
    let (cookie, authorization, content, unsafe_method) = (bit(2) & 1, bit(3) & 1, bit(4) & 1, bit(5) % 4 == 1);
    let method = if unsafe_method { "POST" } else { "GET" };
    let mut request = Request::builder().method(method).uri(format!("/{own}/{path}.css")).header(header::HOST, "a");
    request = request.header("x-law", format!("{client}{cookie}{authorization}{content}"));
    if cookie == 1 {
        request = request.header(header::COOKIE, format!("session={client}"));
    }
    if authorization == 1 {
        request = request.header(header::AUTHORIZATION, format!("Bearer {client}"));
    }
    if bit(6) & 1 == 1 {
        request = request.header(header::ACCEPT_ENCODING, ["gzip", "br", "zstd"][usize::from(bit(6) / 2 % 3)]);
    }
    let body = if content == 1 { "content" } else { "" };
    let request = request.body(Full::new(bytes::Bytes::from_static(body.as_bytes()))).expect("a request");
    let said: String = fields.iter().filter(|line| is_field(line)).flat_map(|line| [*line, "\r\n"]).collect();
    ANSWERS.set(move |head| {
        // Who asked, in the content.
        let asked = head.split("x-law: ").nth(1).and_then(|rest| rest.get(..4)).unwrap_or("????").to_owned();
        format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n{said}\r\n{asked}").into_bytes()
    });
    let Answers { runtime, proxy, .. } = &*ANSWERS;
    runtime.block_on(async {
        let Ok(response) = proxy.clone().call(request).await;
        let (head, body) = response.into_parts();
        let Ok(body) = body.collect().await else { return };
        let body = body.to_bytes();
        if head.status != 200 || body.len() != 4 {
            return;
        }
        let asked: Vec<u8> = body.iter().map(|digit| digit.wrapping_sub(b'0')).collect();
        let [by, with_cookie, with_authorization, with_content] = asked[..] else { return };
        if by != client || (with_cookie, with_authorization) != (cookie, authorization) {
            check(&head.headers, with_cookie == 1, with_authorization == 1, with_content == 1);
        }
    });
}

fn is_field(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let framing = ["content-length", "transfer-encoding", "connection", "upgrade"];
    line.contains(':') && !name.is_empty() && !framing.contains(&name.to_ascii_lowercase().as_str())
}

/// A response that was given to another than who asked for it.
fn check(head: &HeaderMap, cookie: bool, authorization: bool, content: bool) {
    let mut directives = Vec::new();
    for value in head.get_all(header::CACHE_CONTROL) {
        directives.extend(String::from_utf8_lossy(value.as_bytes()).split(',').map(directive));
    }
    let says = |name: &str| directives.iter().any(|directive| directive == name);
    assert!(!says("private") && !says("no-store"), "{head:?}");
    assert!(!head.contains_key(header::SET_COOKIE), "{head:?}");
    assert!(!content, "the request had content: {head:?}");
    let for_all = says("public") || says("s-maxage") || says("must-revalidate");
    assert!(!(cookie || authorization) || for_all, "the request had a cookie or credentials: {head:?}");
    let varies = head.get_all(header::VARY).iter().any(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        text.split(',').any(|name| ["*", "x-law"].contains(&name.trim()))
    });
    assert!(!varies, "{head:?}");
}

fn directive(text: &str) -> String {
    text.split('=').next().unwrap_or_default().trim().to_ascii_lowercase()
}
