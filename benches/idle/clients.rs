//! Clients that ask once and then stay.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;

/// Connections that come from one address: fewer than any server would turn away.
const A_HOST: usize = 50;
/// Connections that are being opened at a time.
const AT_ONCE: usize = 50;

/// The preface, empty SETTINGS, their acknowledgement, and a GET on stream 1 (RFC 9113, section 3.4; RFC 7541,
/// appendix A: `:method: GET`, `:scheme: http`, `:path: /`, and `:authority: a`).
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x00\x04\x01\x00\x00\x00\x00\
    \x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x01a";

/// Connections that are open until this is dropped.
pub(crate) struct Held {
    /// Drives the sockets.
    _runtime: Runtime,
    connections: Vec<TcpStream>,
}

impl Held {
    pub(crate) fn still_open(&self) -> usize {
        let open = |socket: &&TcpStream| {
            let mut byte = [0];
            !matches!(socket.try_read(&mut byte), Ok(0)) && socket.take_error().is_ok_and(|error| error.is_none())
        };
        self.connections.iter().filter(open).count()
    }
}

pub(crate) fn hold(port: u16, block: u8, count: usize) -> Held {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let connections = runtime.block_on(async {
        let open = |n: usize| async move {
            let host = n / A_HOST;
            let from = Ipv4Addr::new(127, 10 + block, (host / 200) as u8, 1 + (host % 200) as u8);
            tokio::time::timeout(Duration::from_secs(60), ask(from, port)).await.expect("an answer in time")
        };
        stream::iter(0..count).map(open).buffer_unordered(AT_ONCE).collect().await
    });
    Held { _runtime: runtime, connections }
}

async fn ask(from: Ipv4Addr, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address");
    // A reset in the end: no port is kept back for minutes.
    socket.set_zero_linger().expect("no linger");
    let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.expect("a connection");
    stream.write_all(HELLO).await.expect("a request");
    let mut heard = Vec::new();
    while !answered(&heard) {
        let bytes = stream.read_buf(&mut heard).await.expect("an answer");
        assert!(bytes > 0, "the server has closed: {heard:?}");
    }
    stream
}

/// Whether stream 1 has ended.
fn answered(mut heard: &[u8]) -> bool {
    while let Some((head, rest)) = heard.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some(rest) = rest.get(length..) else { return false };
        if head[3] <= 1 && head[4] & 1 != 0 && head[8] == 1 {
            return true;
        }
        heard = rest;
    }
    false
}
