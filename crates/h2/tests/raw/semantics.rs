//! Demands of HTTP on a server beside frames (RFC 9110, RFC 9113 section 8).

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Method, Request, Response};
use tokio::time::Instant;

use crate::server::{Log, Script};
use testkit::frames::{self, CANCEL, HEADERS, WINDOW_UPDATE, data, get, request, rst};

const BIG_PIPE: usize = 1 << 22;

/// The trace of one request.
async fn trace(method: &str, path: &str) -> String {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, method, path, &[], true)).await;
    let trace = server.peer.trace().await;
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
    trace
}

#[tokio::test(start_paused = true)]
async fn what_has_no_body_ends_with_its_head() {
    assert_eq!(trace("GET", "/bytes/3").await, "HEADERS 1 200, DATA 1 3 end");
    assert_eq!(trace("HEAD", "/bytes/3000").await, "HEADERS 1 200 end");
    assert_eq!(trace("HEAD", "/endless/3000").await, "HEADERS 1 200 end");
    assert_eq!(trace("GET", "/bytes/0").await, "HEADERS 1 200 end");
    assert_eq!(trace("GET", "/status/204/3").await, "HEADERS 1 204 end");
    assert_eq!(trace("GET", "/status/304/3").await, "HEADERS 1 304 end");
    assert_eq!(trace("GET", "/nothing").await, "HEADERS 1 404 end");
}

#[tokio::test(start_paused = true)]
async fn bodies_of_unknown_length_and_trailers() {
    assert_eq!(trace("GET", "/trailers/500").await, "HEADERS 1 200, DATA 1 500, HEADERS 1 trailers end");
    assert_eq!(trace("GET", "/trailers/0").await, "HEADERS 1 200, HEADERS 1 trailers end");
    assert_eq!(trace("GET", "/end-later/500").await, "HEADERS 1 200, DATA 1 500");
    assert_eq!(trace("HEAD", "/trailers/500").await, "HEADERS 1 200 end");
}

/// INTERNAL_ERROR is 2. Only the stream dies.
#[tokio::test(start_paused = true)]
async fn what_fails_is_reset() {
    assert_eq!(trace("GET", "/fail").await, "RST 1 2");
    assert_eq!(trace("GET", "/panic").await, "RST 1 2");
    assert_eq!(trace("GET", "/status/101").await, "RST 1 2");
    assert_eq!(trace("GET", "/broken/100").await, "RST 1 2", "the reset overtakes what is not written");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_cancelled_is_not_worked_on() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send([get(1, "/wait/1000/10"), get(3, "/bytes/10")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 200, DATA 3 10 end");
    server.peer.send([rst(1, CANCEL), get(5, "/bytes/11"), rst(5, CANCEL)].concat()).await;
    assert_eq!(server.peer.trace().await, "");
    server.log.assert_has("dropped /wait/1000/10");
    server.log.assert_has("ended /wait/1000/10 false");
    assert_eq!(server.log.count("served /bytes/11"), 0, "it was reset before it was looked at");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_early_hint_before_the_head() {
    let check = async |script: Script, path: &str, hint_sent: [bool; 2]| {
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, path)).await;
        assert_eq!(server.peer.trace().await, "HEADERS 1 103");
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
        for sent in [true, false] {
            let wanted = hint_sent.iter().filter(|hint| **hint == sent).count();
            assert_eq!(server.log.count(&format!("hint sent {sent}")), wanted);
        }
        server.hang_up().await.0.unwrap();
    };
    // From the policy, from the handler, and from both.
    let mut server = Script::new().hint("/wait/200/10").start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/200/10")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 103");
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    check(Script::new(), "/hint/200/10", [true, false]).await;
    check(Script::new().hint("/hint/200/10"), "/hint/200/10", [false, false]).await;
}

#[tokio::test(start_paused = true)]
async fn early_hints_and_pushes_go_together() {
    let script = Script::new().hint("/bytes/10").push("/bytes/10", ["/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    let trace = server.peer.trace().await;
    assert!(trace.starts_with("HEADERS 1 103, PROMISE 1>2, "), "{trace}");
    server.peer.assert_well().await;
}

/// Uploads as the windows allow. `false` if they stayed shut before all was sent.
async fn upload<T>(peer: &mut testkit::Peer<T>, stream: u32, bytes: usize) -> bool
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut sent = 0;
    while sent < bytes {
        let granted: usize = peer
            .heard
            .iter()
            .filter(|frame| frame.kind == WINDOW_UPDATE && frame.stream == stream)
            .map(|frame| frame.word(0) as usize)
            .sum();
        let part = (bytes - sent).min(64 * 1024 + granted - sent).min(16_384);
        if part > 0 {
            sent += part;
            peer.send(data(stream, part, sent == bytes)).await;
        } else if peer.next().await.is_none() {
            return false;
        }
    }
    true
}

/// 100 (Continue) goes out when the handler begins to read, and only then.
#[tokio::test(start_paused = true)]
async fn an_upload_is_called_for_when_it_is_read() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let fields = [("expect", "100-continue"), ("content-length", "300000")];
    server.peer.send(request(1, "POST", "/upload/50", &fields, false)).await;
    assert_eq!(server.peer.trace().await, "");
    tokio::time::advance(Duration::from_millis(50)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 100");
    assert!(upload(&mut server.peer, 1, 300_000).await);
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 65535");
    server.peer.send(frames::window(0, 300_000)).await;
    server.peer.send(frames::window(1, 300_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 234465 end");
    server.peer.assert_well().await;
    // A handler that does not read refuses without asking for it.
    server.peer.send(request(3, "POST", "/status/404", &fields, false)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 404 end, RST 3 0");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_reads_is_held_to_its_window() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, "POST", "/upload/500", &[], false)).await;
    server.peer.trace().await;
    assert!(!upload(&mut server.peer, 1, 100_000).await, "the stream's window stays shut");
    server.peer.send(rst(1, CANCEL)).await;
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// An answer to an upload that nobody read is not followed by a reset, which curl 7.88 takes for a failure, as long
/// as the upload ends soon. It does not use the connection's window (1 MiB) up either.
#[tokio::test(start_paused = true)]
async fn unread_uploads_are_read_to_their_end() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    for round in 0..40 {
        let stream = 2 * round + 1;
        server.peer.send(request(stream, "POST", "/bytes/1", &[], false)).await;
        server.peer.send(data(stream, 16_384, false)).await;
        server.peer.send(data(stream, 16_384, true)).await;
        server.peer.trace().await;
        assert_eq!(server.peer.bytes(stream), 1);
        assert!(server.peer.resets(stream).is_empty());
    }
    server.peer.send(request(101, "POST", "/upload/0", &[], false)).await;
    assert!(upload(&mut server.peer, 101, 1_500_000).await);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unread_upload_without_end_is_reset() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, "POST", "/bytes/1", &[], false)).await;
    server.peer.send(data(1, 16_384, false)).await;
    server.peer.trace().await;
    assert_eq!((server.peer.bytes(1), server.peer.resets(1)), (1, vec![]));
    tokio::time::advance(Duration::from_secs(5)).await;
    server.peer.trace().await;
    assert_eq!(server.peer.resets(1), [0], "NO_ERROR: the answer is complete, the rest is not needed");

    server.peer.send(request(3, "POST", "/bytes/1", &[], false)).await;
    assert!(!upload(&mut server.peer, 3, 1_000_000).await, "too long to wait for");
    assert_eq!(server.peer.resets(3), [0]);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_broken_upload_is_an_error_to_its_reader() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, "POST", "/upload/0", &[("content-length", "10")], false)).await;
    assert_eq!(server.peer.trace().await, "");
    // Longer than announced: h2 resets the stream (PROTOCOL_ERROR), the connection goes on.
    server.peer.send(data(1, 11, true)).await;
    assert_eq!(server.peer.trace().await, "RST 1 1");
    server.log.assert_has("ended /upload/0 false");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The answer begins before the question has ended.
#[tokio::test(start_paused = true)]
async fn both_ways_at_once() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, "POST", "/echo", &[], false)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200");
    for _ in 0..3 {
        server.peer.send(data(1, 5, false)).await;
        assert_eq!(server.peer.trace().await, "DATA 1 5");
    }
    let trailers = frames::frame(HEADERS, frames::END | frames::END_HEADERS, 1, b"\x00\x01x\x01y");
    server.peer.send(trailers).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 trailers end");
    server.log.assert_has("ended /echo true");
    server.hang_up().await.0.unwrap();
}

/// A client of the `h2` crate, to see fields.
async fn client(script: &Script) -> (SendRequest<Bytes>, Log) {
    let mut running = Vec::new();
    let (theirs, ours) = tokio::io::duplex(BIG_PIPE);
    let connection = script.connection(ours);
    running.push(tokio::spawn(async move { connection.await.is_ok() }));
    let (sender, connection) = h2::client::handshake(theirs).await.unwrap();
    running.push(tokio::spawn(async move { connection.await.is_ok() }));
    (sender, script.log())
}

async fn ask(sender: &SendRequest<Bytes>, request: Request<()>) -> Response<h2::RecvStream> {
    let (response, _) = sender.clone().ready().await.unwrap().send_request(request, true).unwrap();
    response.await.unwrap()
}

fn field<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn heads_are_complete_and_clean() {
    let (sender, _) = client(&Script::new()).await;
    let at = |method: Method, path: &str| {
        Request::builder().method(method).uri(format!("https://a.example{path}")).body(()).unwrap()
    };
    let careless = ask(&sender, at(Method::GET, "/connection/10")).await;
    for name in ["connection", "keep-alive", "transfer-encoding", "x-internal"] {
        assert_eq!(field(careless.headers(), name), None, "{name}");
    }
    assert_eq!(field(careless.headers(), "content-length"), Some("10"));
    assert!(httpdate::parse_http_date(field(careless.headers(), "date").unwrap()).is_ok());
    let head = ask(&sender, at(Method::HEAD, "/bytes/3000")).await;
    assert_eq!(field(head.headers(), "content-length"), Some("3000"));
    let unknown = ask(&sender, at(Method::GET, "/trailers/10")).await;
    assert_eq!(field(unknown.headers(), "content-length"), None);
    let empty = ask(&sender, at(Method::GET, "/status/204")).await;
    assert_eq!(field(empty.headers(), "content-length"), None);
}

#[tokio::test(start_paused = true)]
async fn tunnels_and_strange_hosts_are_refused() {
    let (sender, log) = client(&Script::new()).await;
    let tunnel = ask(&sender, Request::connect("a.example:443").body(()).unwrap()).await;
    assert_eq!(tunnel.status(), 501);
    let hosts = |host: &str| Request::get("https://a.example/bytes/1").header("host", host).body(()).unwrap();
    assert_eq!(ask(&sender, hosts("b.example")).await.status(), 400);
    assert_eq!(ask(&sender, hosts("A.example")).await.status(), 200);
    assert_eq!(log.count("served /bytes/1"), 1);
}

/// Handlers of one connection run side by side as long as they await.
#[tokio::test(start_paused = true)]
async fn handlers_wait_side_by_side() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    let requests: Vec<Vec<u8>> = (0..50).map(|n| get(2 * n + 1, "/wait/100/10")).collect();
    server.peer.send(requests.concat()).await;
    while !server.peer.ended(99) {
        server.peer.drink().await;
    }
    assert_eq!(began.elapsed().as_millis() / 10, 10);
    assert!((0..50).all(|n| server.peer.ended(2 * n + 1)));
    server.hang_up().await.0.unwrap();
}
