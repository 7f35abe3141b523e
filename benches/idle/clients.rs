//! Clients that ask once and then stay.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use testkit::frames::{self, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;

/// Connections that come from one address: fewer than any server would turn away.
const A_HOST: usize = 50;
/// Connections that are being opened at a time.
const AT_ONCE: usize = 50;

/// The field block of a request (RFC 7541, appendix A): `:method: GET`, `:scheme: http`, `:path: /`, and `:authority: a`.
const FIELDS: &[u8] = b"\x82\x86\x84\x41\x01a";

/// Connections that are open until this is dropped.
pub(crate) struct Held {
    /// Drives the sockets.
    runtime: Runtime,
    connections: Vec<TcpStream>,
    /// The last stream of each.
    stream: u32,
}

impl Held {
    pub(crate) fn still_open(&self) -> usize {
        let open = |socket: &&TcpStream| {
            let mut byte = [0];
            !matches!(socket.try_read(&mut byte), Ok(0)) && socket.take_error().is_ok_and(|error| error.is_none())
        };
        self.connections.iter().filter(open).count()
    }

    /// Each asks once more, a few at a time.
    pub(crate) fn ask_again(&mut self) {
        self.stream += 2;
        let id = self.stream;
        let connections = stream::iter(&mut self.connections);
        let asked = connections.map(|stream| ask(stream, Vec::new(), id)).buffer_unordered(AT_ONCE);
        self.runtime.block_on(asked.for_each(|()| std::future::ready(())));
    }
}

pub(crate) fn hold(port: u16, block: u8, count: usize) -> Held {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let connections = runtime.block_on(async {
        let nth = |n: usize| async move {
            let host = n / A_HOST;
            let from = Ipv4Addr::new(127, 10 + block, (host / 200) as u8, 1 + (host % 200) as u8);
            tokio::time::timeout(Duration::from_secs(60), open(from, port)).await.expect("an answer in time")
        };
        stream::iter(0..count).map(nth).buffer_unordered(AT_ONCE).collect().await
    });
    Held { runtime, connections, stream: 1 }
}

async fn open(from: Ipv4Addr, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address");
    // A reset in the end: no port is kept back for minutes.
    socket.set_zero_linger().expect("no linger");
    let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.expect("a connection");
    ask(&mut stream, frames::greeting(&[]), 1).await;
    stream
}

/// A request after what else is to be sent, until it is answered.
async fn ask(stream: &mut TcpStream, mut sent: Vec<u8>, id: u32) {
    sent.extend(frames::head(id, true, FIELDS));
    stream.write_all(&sent).await.expect("a request");
    let mut heard = Vec::new();
    let ends = |frame: &Frame| frame.stream == id && frame.ends();
    while !Frame::all(&heard).iter().any(ends) {
        let bytes = stream.read_buf(&mut heard).await.expect("an answer");
        assert!(bytes > 0, "the server has closed: {heard:?}");
    }
}
