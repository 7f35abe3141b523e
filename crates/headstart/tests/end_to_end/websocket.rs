//! WebSockets, over HTTP/2 (RFC 8441) as over HTTP/1.1, to a handler that knows of neither.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use h2::ext::Protocol;
use headstart::Headstart;
use http::{Method, Request, Response, StatusCode};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn serve() -> SocketAddr {
    let echo = |upgrade: WebSocketUpgrade| async move { upgrade.protocols(["chat"]).on_upgrade(echo) };
    let app = Router::new().route("/echo", any(echo));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Headstart::builder().build().unwrap().serve(listener, None, app).into_future());
    address
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        // The answer to a Close is the library's.
        if !matches!(message, Message::Close(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// A text message as a client sends it (RFC 6455, section 5.2): masked, here with zeros.
fn message(text: &str) -> Bytes {
    let length = u8::try_from(text.len()).unwrap();
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat().into()
}

/// The same as a server sends it.
fn echoed(text: &str) -> Vec<u8> {
    [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (send, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut send = send.ready().await.unwrap();
    for _ in 0..100 {
        if send.is_extended_connect_protocol_enabled() {
            return send;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        send = send.ready().await.unwrap();
    }
    panic!("the server does not take extended CONNECT");
}

async fn open(
    send: &mut SendRequest<Bytes>,
    address: SocketAddr,
    path: &str,
    protocol: &'static str,
) -> (Response<RecvStream>, h2::SendStream<Bytes>) {
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://{address}{path}"))
        .extension(Protocol::from_static(protocol))
        .header("sec-websocket-protocol", "chat")
        .header("sec-websocket-version", "13");
    let (response, upload) = send.send_request(request.body(()).unwrap(), false).unwrap();
    (response.await.unwrap(), upload)
}

async fn read(body: &mut RecvStream, length: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < length {
        let part = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        read.extend_from_slice(&part);
    }
    read
}

#[tokio::test]
async fn messages_go_both_ways_over_http2() {
    let address = serve().await;
    let mut send = connect(address).await;
    let (response, mut upload) = open(&mut send, address, "/echo", "websocket").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
    assert!(!response.headers().contains_key("sec-websocket-accept") && !response.headers().contains_key("upgrade"));
    let mut download = response.into_body();
    for text in ["one", "two", "and three"] {
        upload.send_data(message(text), false).unwrap();
        let echo = echoed(text);
        assert_eq!(read(&mut download, echo.len()).await, echo);
    }
    // Close, with status 1000; the server answers in kind and ends.
    upload.send_data(Bytes::from_static(&[0x88, 0x82, 0, 0, 0, 0, 3, 232]), false).unwrap();
    assert_eq!(read(&mut download, 4).await, [0x88, 2, 3, 232]);
    while let Some(end) = download.data().await {
        assert!(end.unwrap().is_empty(), "nothing comes after a Close");
    }
}

#[tokio::test]
async fn two_at_once_on_one_connection() {
    let address = serve().await;
    let mut send = connect(address).await;
    let (first, mut first_up) = open(&mut send, address, "/echo", "websocket").await;
    let (second, mut second_up) = open(&mut send, address, "/echo", "websocket").await;
    second_up.send_data(message("second"), false).unwrap();
    assert_eq!(read(&mut second.into_body(), 8).await, echoed("second"));
    first_up.send_data(message("first"), false).unwrap();
    assert_eq!(read(&mut first.into_body(), 7).await, echoed("first"));
}

#[tokio::test]
async fn what_is_no_websocket_is_refused() {
    let address = serve().await;
    let mut send = connect(address).await;
    assert_eq!(open(&mut send, address, "/nothing", "websocket").await.0.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&mut send, address, "/echo", "connect-udp").await.0.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn a_101_that_does_not_answer_the_key_is_a_failure() {
    let liar = |accept: &'static str, protocol: &'static str| {
        any(move || async move {
            let head = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("connection", "upgrade");
            head.header("upgrade", protocol)
                .header("sec-websocket-accept", accept)
                .body(axum::body::Body::empty())
                .unwrap()
        })
    };
    let app =
        Router::new().route("/wrong", liar("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "websocket")).route("/none", liar("", "x"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Headstart::builder().build().unwrap().serve(listener, None, app).into_future());
    let mut send = connect(address).await;
    for path in ["/wrong", "/none"] {
        assert_eq!(open(&mut send, address, path, "websocket").await.0.status(), StatusCode::BAD_GATEWAY, "{path}");
    }
}

#[tokio::test]
async fn another_limit_of_http2_takes_no_websocket_away() {
    let app = Router::new().route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let headstart = Headstart::builder().h2(|h2| h2.max_concurrent_streams = 7).build().unwrap();
    tokio::spawn(headstart.serve(listener, None, app).into_future());
    let mut send = connect(address).await;
    assert_eq!(open(&mut send, address, "/echo", "websocket").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn over_http1_as_ever() {
    let mut socket = TcpStream::connect(serve().await).await.unwrap();
    let request = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    socket.write_all(&message("hello")).await.unwrap();
    let mut echo = [0; 7];
    socket.read_exact(&mut echo).await.unwrap();
    assert_eq!(echo, &echoed("hello")[..]);
}
