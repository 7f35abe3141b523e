//! The last answer of a connection reaches a client that goes on sending: it is not lost to a reset.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use headstart::Headstart;
use http::{StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// More than the buffers of both ends hold.
const UPLOAD: usize = 24 << 20;

/// A server that refuses each upload without a look at it.
async fn server() -> SocketAddr {
    let app = Router::new().fallback(|| async {
        (StatusCode::PAYLOAD_TOO_LARGE, [(header::CONNECTION, "close")], "too much").into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Headstart::builder().build().unwrap().serve(listener, None, app).into_future());
    address
}

#[tokio::test]
async fn a_client_that_reads_after_its_upload_is_told_that_it_was_refused() {
    let mut socket = TcpStream::connect(server().await).await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: {UPLOAD}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'a'; 64 << 10];
    for _ in 0..UPLOAD / piece.len() {
        socket.write_all(&piece).await.expect("what is sent is taken");
    }
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("an orderly end");
    assert!(answer.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    assert!(answer.ends_with(b"too much"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_client_that_breaks_http2_reads_why_it_is_sent_away() {
    let mut socket = TcpStream::connect(server().await).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // Settings, then data for a stream that nobody opened, again and again.
    socket.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let data = [&[0, 0x10, 0, 0, 0, 0, 0, 0, 1][..], &[0; 0x1000]].concat();
    for _ in 0..64 {
        socket.write_all(&data).await.expect("what is sent is taken");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("an orderly end");
    let mut rest = &answer[..];
    let mut kinds = Vec::new();
    while let [high, middle, low, kind, _, _, _, _, _, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        kinds.push(*kind);
        rest = &after[length..];
    }
    assert!(kinds.contains(&7), "a GOAWAY is among the frames {kinds:?}");
}
