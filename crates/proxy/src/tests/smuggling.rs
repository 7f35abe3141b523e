//! Requests that two readers could read in two ways: at most one of each connection reaches the upstream, and never one
//! that was hidden in another.

use super::kit::{Front, Upstream, ok};

const CANARY: &str = "GET /canary-smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// Field lines that say where the content ends. `{n}` is the length of all that follows the head.
const FRAMINGS: &[&str] = &[
    "Transfer-Encoding: chunked\r\nContent-Length: {n}",
    "Content-Length: {n}\r\nTransfer-Encoding: chunked",
    "Content-Length: 0\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 0",
    "Transfer-Encoding: chunked\r\nX: y\r\ncontent-length: {n}",
    "TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: {n}",
    "Transfer-Encoding: chunked\nContent-Length: {n}",
    "Content-Length: {n}\r\nTransfer-Encoding : chunked",
    "Content-Length: {n}\r\nTransfer-Encoding\t: chunked",
    "Content-Length: {n}\r\nTransfer-Encoding:chunked",
    "Content-Length: {n}\r\nTransfer-Encoding:\tchunked",
    "Content-Length: {n}\r\nTransfer-Encoding:  chunked ",
    "Content-Length: {n}\r\n Transfer-Encoding: chunked",
    "Content-Length: {n}\r\n\tTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nX: y\r\n chunked\r\nTransfer-Encoding: x",
    "Content-Length: {n}\r\nTransfer-Encoding:\r\n chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: xchunked",
    "Content-Length: {n}\r\nTransfer-Encoding: chunkedx",
    "Content-Length: {n}\r\nTransfer-Encoding: \"chunked\"",
    "Content-Length: {n}\r\nTransfer-Encoding: 'chunked'",
    "Content-Length: {n}\r\nTransfer-Encoding: chunked;q=1",
    "Content-Length: {n}\r\nTransfer-Encoding: chunked, identity",
    "Content-Length: {n}\r\nTransfer-Encoding: identity, chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: identity",
    "Content-Length: {n}\r\nTransfer-Encoding: gzip",
    "Content-Length: {n}\r\nTransfer-Encoding: ",
    "Content-Length: {n}\r\nTransfer-Encoding: ,chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: chunked,",
    "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Content-Length: {n}\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: \u{b}chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: \u{c}chunked",
    "Content-Length: {n}\r\nTransfer-Encoding: \0chunked",
    "Content-Length: {n}\r\nTransfer-Encoding\0: chunked",
    "Content-Length: {n}\r\nTransfer_Encoding: chunked",
    "Content-Length: {n}\r\nTransfer Encoding: chunked",
    "Content-Length: {n}\r\nX: y\rTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nX: y\nTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nX: y\r\r\nTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
    "Content-Length: {n}\r\nConnection: Content-Length\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: x",
    "Transfer-Encoding: chunk",
    "Transfer-Encoding : chunked",
    "Content-Length: 5\r\nContent-Length: {n}",
    "Content-Length: {n}\r\nContent-Length: 5",
    "Content-Length: {n}\r\nContent-Length: 0",
    "Content-Length: 0\r\nContent-Length: {n}",
    "Content-Length: 5, {n}",
    "Content-Length: {n}, {n}",
    "Content-Length: +{n}",
    "Content-Length: -{n}",
    "Content-Length: 0x{n}",
    "Content-Length: {n}x",
    "Content-Length: {n} x",
    "Content-Length: 1 {n}",
    "Content-Length: {n}.0",
    "Content-Length: 1e2",
    "Content-Length: ",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 18446744073709551616",
    "Content-Length : {n}",
    "Content-Length\0: {n}",
    " Content-Length: {n}",
    "X: y\r\n Content-Length: {n}",
    "Content_Length: {n}",
    "Connection: content-length\r\nContent-Length: {n}",
    "Connection: close\r\nContent-Length: {n}\r\nTransfer-Encoding: chunked",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: {n}",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: {n}",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\nContent-Length: {n}",
    "Expect: 100-continue\r\nContent-Length: {n}",
];

/// Chunked content in which a lenient reader would find another end. Each is followed by the canary.
const CHUNKS: &[&str] = &[
    "0\r\n",
    "0\n\n",
    "0;x\n\r\n",
    "0\r\nX: y\r\n",
    "0x0\r\n\r\n",
    "-0\r\n\r\n",
    "+0\r\n\r\n",
    " 0\r\n\r\n",
    "g\r\n\r\n",
    "\r\n\r\n",
    "1\r\naa0\r\n\r\n",
    "2\r\na0\r\n\r\n",
    "5\r\nabcde0\r\n\r\n",
    "5\nabcde\n0\n\n",
    "FFFFFFFFFFFFFFFFF\r\nx",
    "10000000000000000\r\nx",
    "7fffffffffffffff\r\nx",
    "00000000000000000000\r\nx",
    "5;a=\"\r\nabcde\r\n0\r\n",
    "5;a\rb\r\nabcde\r\n",
    "5\0\r\nabcde\r\n",
    "0\r\nContent-Length: 99\r\n",
    "0\r\nTransfer-Encoding: chunked\r\n",
    "0\r\n X: folded\r\n",
    "1;\n;\r\nx\r\n",
];

/// Heads that are wrong in themselves, whole but for the canary that follows.
const HEADS: &[&str] = &[
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "GET / http/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET\r\n",
    "GET /\r\n",
    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: \r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
];

/// Bytes after an honest head that ends a connection, or after a head that is refused, must not be read as a request.
#[tokio::test]
async fn no_request_is_smuggled_over_http1() {
    let mut cases = Vec::new();
    for framing in FRAMINGS {
        // Read as chunked it ends before the canary, read by its length after it.
        let content = format!("0\r\n\r\n{CANARY}");
        let framing = framing.replace("{n}", &content.len().to_string());
        cases.push(format!("POST /case HTTP/1.1\r\nHost: a.example\r\n{framing}\r\n\r\n{content}"));
    }
    for chunk in CHUNKS {
        let head = "POST /case HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        cases.push(format!("{head}{chunk}{CANARY}"));
    }
    cases.extend(HEADS.iter().map(|head| format!("{head}{CANARY}")));
    assert!(cases.len() >= 120, "{} cases", cases.len());
    check(&cases).await;
}

/// Honest requests, so that the test above can fail: what is pipelined is asked for.
#[tokio::test]
async fn honest_requests_arrive() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| ()).await;
    let chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let plain = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    front.raw(format!("{chunked}{plain}{CANARY}").as_bytes()).await;
    let heads = upstream.heads();
    assert_eq!(heads.len(), 3, "{heads:?}");
    assert!(heads[2].starts_with("GET /canary-smuggled "), "{heads:?}");
}

/// A hidden request, or one of which two readers see different ends. An upload that turns out to be malformed breaks off,
/// which every reader sees.
fn is_smuggled(head: &str) -> bool {
    head.starts_with("GET /canary") || (head.starts_with("BAD") && !head.starts_with("BAD the upload broke off"))
}

async fn check(cases: &[String]) {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| ()).await;
    let mut failures = Vec::new();
    for case in cases {
        upstream.forget();
        let answer = front.raw(case.as_bytes()).await;
        let heads = upstream.heads();
        // The canary may be content; then its text stands after the end of a head.
        let smuggled = heads.iter().any(|head| is_smuggled(head));
        let answers = answer.matches("HTTP/1.1 ").count();
        if heads.len() > 1
            || smuggled
            || answers > 2
            || answer.contains("HTTP/1.1 5") && !answer.contains("HTTP/1.1 501")
        {
            failures.push(format!("{case:?}\n -> {heads:?}\n => {answer:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Fields of an HTTP/2 request that would change its end, or its meaning, in HTTP/1.1. Names and values go into the frame
/// as they are.
const DOWNGRADES: &[(&str, &str)] = &[
    ("transfer-encoding", "chunked"),
    ("transfer-encoding", "identity"),
    ("Transfer-Encoding", "chunked"),
    ("transfer-encoding ", "chunked"),
    ("content-length", "0"),
    ("content-length", "5"),
    ("content-length", "999"),
    ("content-length", "+1"),
    ("content-length", "1, 1"),
    ("content-length", ""),
    ("connection", "keep-alive"),
    ("connection", "x-forwarded-for"),
    ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
    ("upgrade", "h2c"),
    ("te", "chunked"),
    ("host", "b.example"),
    ("x", "y\r\nTransfer-Encoding: chunked"),
    ("x", "y\r\n\r\nGET /canary-smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("x", "y\nTransfer-Encoding: chunked"),
    ("x", "y\0z"),
    ("x\r\ntransfer-encoding", "chunked"),
    ("x: y\r\nz", "y"),
    ("x y", "z"),
    ("", "x"),
    (":path", "/canary-smuggled"),
    (":method", "GET"),
    (":authority", "b.example"),
    (":unknown", "x"),
    ("transfer_encoding", "chunked"),
];

const TARGETS: &[(&str, &str)] = &[
    ("GET", "/ HTTP/1.1\r\nHost: a\r\n\r\nGET /canary-smuggled"),
    ("GET", "/\r\nX: y"),
    ("GET", "/ x"),
    ("GET", ""),
    ("GET", "canary-smuggled"),
    ("GET /canary-smuggled HTTP/1.1\r\nHost: a\r\n\r\nGET", "/"),
    ("CONNECT", "/"),
    ("G T", "/"),
];

#[tokio::test]
async fn no_request_is_smuggled_through_the_downgrade() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| ()).await;
    let content = format!("0\r\n\r\n{CANARY}");
    let post = |field| raw_h2::request("POST", "/case", Some(field), &content);
    let mut cases: Vec<_> = DOWNGRADES.iter().map(|field| (format!("{field:?}"), post(*field))).collect();
    cases.extend(
        TARGETS.iter().map(|(method, path)| (format!("{method:?} {path:?}"), raw_h2::request(method, path, None, ""))),
    );
    assert!(cases.len() >= 25);
    for (name, bytes) in cases {
        upstream.forget();
        front.raw(&bytes).await;
        let heads = upstream.heads();
        let smuggled = heads.iter().any(|head| is_smuggled(head));
        assert!(heads.len() <= 1 && !smuggled, "{name}: {heads:?}");
    }
    // An honest one arrives.
    upstream.forget();
    front.raw(&raw_h2::request("POST", "/case", Some(("x", "y")), &content)).await;
    assert!(upstream.heads()[0].starts_with("POST /case HTTP/1.1\r\n"), "{:?}", upstream.heads());
}

/// Frames by hand: no library sends these.
mod raw_h2 {
    pub(super) fn request(method: &str, path: &str, field: Option<(&str, &str)>, content: &str) -> Vec<u8> {
        let pseudo = [(":method", method), (":scheme", "http"), (":authority", "a.example"), (":path", path)];
        let mut block = Vec::new();
        for (name, value) in pseudo.into_iter().chain(field) {
            // A literal without indexing, new name, no Huffman coding (RFC 7541, section 6.2.2).
            block.push(0);
            for text in [name, value] {
                assert!(text.len() < 127, "one byte says the length");
                block.push(text.len() as u8);
                block.extend_from_slice(text.as_bytes());
            }
        }
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frame(&mut bytes, 4, 0, 0, &[]);
        frame(&mut bytes, 1, if content.is_empty() { 5 } else { 4 }, 1, &block);
        if !content.is_empty() {
            frame(&mut bytes, 0, 1, 1, content.as_bytes());
        }
        bytes
    }

    fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        bytes.extend_from_slice(&[kind, flags]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
    }
}
