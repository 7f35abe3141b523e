//! Tests of the end of messages, of heads, and of connections that change their protocol.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::kit::{Act, Front, PATIENCE, Upstream, answer, ok};
use crate::error::Fault;

#[tokio::test]
async fn chunks_override_a_length_beside_them() {
    let upstream = Upstream::start(|path| {
        let coding = if path.starts_with("/gzip") { "gzip, chunked" } else { "chunked" };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: {coding}\r\n\r\n");
        Act::Say(format!("{head}5\r\nhello\r\n0\r\n\r\n").into_bytes())
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    for version in [1, 2] {
        assert_eq!(front.get(version, "/").await, (200, Some("hello".to_owned())));
        assert_eq!(front.get(version, "/gzip").await.0, 502, "nobody asked for that coding");
    }
    assert!(!front.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.contains("content-length"));
    assert_eq!(front.faults(Fault::Framing), 2);
    assert!(front.proxy.stats().servers[0].healthy, "a page that anyone can ask for says nothing against the server");
}

/// Chunks of a request that are none: whoever sends them is told, and the connection ends, whatever was asked before.
#[tokio::test]
async fn a_request_without_sound_chunks_is_answered_400_and_ends_the_connection() {
    const REFUSED: &str = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| ()).await;
    for before in ["", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", REFUSED] {
        for chunks in ["\r\n", ";x\r\n", "g\r\n", "-1\r\n", "5\nhello\n", "2\r\nhello\r\n", "2\r\nab\r\n\r\n"] {
            let post = format!("POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            let mut socket = TcpStream::connect(front.address).await.unwrap();
            socket.write_all(format!("{before}{post}").as_bytes()).await.unwrap();
            let mut heard = String::new();
            let ended = timeout(PATIENCE, socket.read_to_string(&mut heard)).await;
            assert!(ended.is_ok_and(|end| end.is_ok()), "{before:?} {chunks:?}: {heard:?}");
            let last = heard.rsplit("HTTP/1.1 ").next().unwrap();
            assert!(last.starts_with("400 "), "{before:?} {chunks:?}: {heard:?}");
        }
    }
}

#[tokio::test]
async fn a_method_that_anticipates_content_says_that_there_is_none() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| ()).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
        let request =
            |method: &str| Request::builder().method(method).uri("/").header("host", "a").body(Full::default());
        for version in [1, 2] {
            upstream.forget();
            let request: Request<Full<Bytes>> = request(method).unwrap();
            let status = if version == 1 { front.http1(request).await } else { front.http2(request).await };
            assert_eq!(status.0, 200);
            let says = upstream.heads()[0].contains("content-length: 0\r\n");
            assert_eq!(says, ["POST", "PUT", "PATCH"].contains(&method), "{:?}", upstream.heads());
        }
    }
}

#[tokio::test]
async fn an_upload_that_says_it_is_too_large_is_refused_at_its_head() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |config| config.limits.max_upload = Some(1024)).await;
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1025\r\n\r\n";
    assert!(front.raw(head.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    assert!(upstream.heads().is_empty(), "the application hears nothing of it");
    assert_eq!(front.faults(Fault::UploadTooLarge), 1);
}

#[tokio::test]
async fn a_head_is_bounded_by_bytes_and_a_larger_one_says_nothing_against_its_server() {
    let upstream = Upstream::start(|path| {
        let count = path.trim_start_matches('/').parse().unwrap_or(0);
        Act::Say(answer("200 OK", &"Set-Cookie: name=value; Path=/\r\n".repeat(count), "ok"))
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    for count in [90, 130, 900] {
        let answer = front.raw(format!("GET /{count} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{count}");
        assert_eq!(answer.matches("set-cookie: ").count(), count);
    }
    for _ in 0..5 {
        assert_eq!(front.get(2, "/20000").await.0, 502);
    }
    assert_eq!(front.faults(Fault::HeadTooLarge), 5);
    assert!(front.proxy.stats().servers[0].healthy);
}

#[tokio::test]
async fn an_upgrade_works_on_a_connection_that_carried_content() {
    let upstream = Upstream::start(|path| match path {
        "/tunnel" => {
            Act::Echo(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n".to_vec())
        }
        _ => ok(),
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    let post = Request::post("/").header("host", "a").body(Full::new(Bytes::from_static(b"x"))).unwrap();
    assert_eq!(front.http1(post).await.0, 200);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut socket = TcpStream::connect(front.address).await.unwrap();
    let asks = b"GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    socket.write_all(asks).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
    }
    socket.write_all(b"ping").await.unwrap();
    let mut back = [0; 4];
    timeout(PATIENCE, socket.read_exact(&mut back)).await.unwrap().unwrap();
    assert_eq!(&back, b"ping");
    let stats = front.proxy.stats();
    assert_eq!((stats.connections, stats.open_tunnels), (1, 1), "it is the same connection");
}

#[tokio::test]
async fn a_wrong_answer_to_a_websocket_key_is_a_failure_that_is_counted() {
    let upstream = Upstream::start(|_| {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n";
        Act::SayAndHang(format!("{head}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n").into_bytes())
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    let asks = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(front.raw(asks).await.starts_with("HTTP/1.1 502 "));
    assert_eq!(front.faults(Fault::UpgradeFailed), 1);
}
