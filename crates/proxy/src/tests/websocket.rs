//! WebSockets to an upstream that speaks HTTP/2 in clear.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::kit::{Front, PATIENCE};
use crate::Config;
use crate::error::Fault;

const ASKS: &[u8] = b"GET /ws?x HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A server of HTTP/2 that sends back what comes through a tunnel, if it `takes` them.
async fn echo(takes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                if takes {
                    builder.enable_connect_protocol();
                }
                let mut connection = builder.handshake::<_, Bytes>(socket).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(answer(request, respond));
                }
            });
        }
    });
    address
}

async fn answer(request: http::Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let protocol = request.extensions().get::<h2::ext::Protocol>().map(|protocol| protocol.as_str().to_owned());
    let sound = protocol.as_deref() == Some("websocket")
        && request.uri() == "http://a.example/ws?x"
        && request.headers().get("sec-websocket-version").is_some()
        && ["upgrade", "connection", "sec-websocket-key"].iter().all(|name| !request.headers().contains_key(*name));
    let status = if sound { 200 } else { 404 };
    let response = http::Response::builder().status(status).body(()).unwrap();
    let mut send = respond.send_response(response, !sound).unwrap();
    let mut body = request.into_body();
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).unwrap();
        send.send_data(data, false).unwrap();
    }
    let _ = send.send_data(Bytes::new(), true);
}

async fn front(address: SocketAddr) -> Front {
    Front::start(Config::new(vec![format!("h2c://{address}").parse().unwrap()])).await
}

#[tokio::test]
async fn a_websocket_goes_through_a_stream() {
    let front = front(echo(true).await).await;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(front.address).await.unwrap();
        socket.write_all(ASKS).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: websocket\r\n"), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        let sent = vec![7; 200_000];
        let mut back = vec![0; sent.len()];
        let (mut from, mut to) = socket.split();
        let (written, read) = tokio::join!(to.write_all(&sent), timeout(PATIENCE, from.read_exact(&mut back)));
        written.unwrap();
        read.unwrap().unwrap();
        assert_eq!(back, sent);
        assert_eq!(front.proxy.stats().open_tunnels, 1);
        drop(socket);
        let closed = async {
            while front.proxy.stats().open_tunnels > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, closed).await.unwrap();
    }
    assert_eq!(front.proxy.stats().connections, 1);
    let other = String::from_utf8(ASKS.to_vec()).unwrap().replace("/ws?x", "/other");
    assert!(front.raw(other.as_bytes()).await.starts_with("HTTP/1.1 404 "), "the upstream says no");
}

#[tokio::test]
async fn what_the_upstream_has_no_way_for_is_said_and_not_held_against_it() {
    let front = front(echo(false).await).await;
    let mut socket = TcpStream::connect(front.address).await.unwrap();
    socket.write_all(ASKS).await.unwrap();
    let mut answer = vec![0; 12];
    timeout(PATIENCE, socket.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 501");
    let other = String::from_utf8(ASKS.to_vec()).unwrap().replace("WebSocket", "other");
    for _ in 0..4 {
        assert!(front.raw(other.as_bytes()).await.starts_with("HTTP/1.1 501 "));
    }
    let stats = front.proxy.stats();
    assert_eq!((front.faults(Fault::NoUpgrade), front.faults(Fault::Refused)), (5, 0));
    assert!(stats.servers[0].healthy && stats.servers[0].failures == 0, "{stats:?}");
}
