//! A client in memory: what it sends is made beforehand, what it is sent is counted, and only the polls of the
//! connection in between are measured.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use testkit::frames::{ACK, DATA, END, END_HEADERS, HEADERS, PREFACE, PUSH_PROMISE, SETTINGS, WINDOW_UPDATE, frame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const WHOLE_HEAD: u8 = END | END_HEADERS;

/// The server's end of the connection.
#[derive(Clone, Debug)]
pub struct Pipe(Arc<Mutex<Buffers>>);

#[derive(Debug, Default)]
struct Buffers {
    to_server: Vec<u8>,
    read: usize,
    from_server: Vec<u8>,
    reader: Option<Waker>,
}

/// The client's end.
#[derive(Debug)]
pub struct Client {
    buffers: Arc<Mutex<Buffers>>,
    /// Header fields in the dynamic table (RFC 7541, section 2.3.2), the newest last.
    table: Vec<(String, String)>,
    next_stream: u32,
}

/// Bytes and frames that the server has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// HEADERS frames.
    pub heads: usize,
    /// PUSH_PROMISE frames.
    pub promises: usize,
    /// Payloads of DATA frames.
    pub data_bytes: usize,
    /// Streams that ended.
    pub ended: usize,
}

/// A connection in memory; the client opens all windows wide and takes pushes or does not.
pub fn connect(push: bool) -> (Client, Pipe) {
    let buffers = Arc::new(Mutex::new(Buffers::default()));
    let client = Client { buffers: Arc::clone(&buffers), table: Vec::new(), next_stream: 1 };
    let settings = [[0, 2, 0, 0, 0, u8::from(push)], [0, 4, 0x7f, 0xff, 0xff, 0xff], [0, 3, 0, 0, 0x03, 0xe8]].concat();
    client.feed(&[PREFACE, &frame(SETTINGS, 0, 0, &settings), &frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0])].concat());
    (client, Pipe(buffers))
}

impl std::ops::Add for Received {
    type Output = Received;

    fn add(self, other: Received) -> Received {
        Received {
            heads: self.heads + other.heads,
            promises: self.promises + other.promises,
            data_bytes: self.data_bytes + other.data_bytes,
            ended: self.ended + other.ended,
        }
    }
}

impl Client {
    /// Acknowledges the server's SETTINGS.
    ///
    /// # Panics
    ///
    /// If a thread has panicked with the connection in its hands.
    pub fn acknowledge(&self) {
        self.feed(&frame(SETTINGS, ACK, 0, &[]));
    }

    /// Asks for `path` with these fields.
    ///
    /// # Panics
    ///
    /// If a thread has panicked with the connection in its hands.
    pub fn get(&mut self, path: &str, fields: &[(&str, &str)]) {
        let mut block = vec![0x82, 0x87];
        self.field(&mut block, ":authority", "bench.example");
        self.field(&mut block, ":path", path);
        self.field(&mut block, "user-agent", "Mozilla/5.0 (X11; Linux x86_64) bench/1.0");
        self.field(&mut block, "accept-encoding", "gzip, deflate, br, zstd");
        for (name, value) in fields {
            self.field(&mut block, name, value);
        }
        self.feed(&frame(HEADERS, WHOLE_HEAD, self.next_stream, &block));
        self.next_stream += 2;
    }

    /// Bytes that came since the last time.
    ///
    /// # Panics
    ///
    /// If a thread has panicked with the connection in its hands.
    pub fn received_bytes(&self) -> usize {
        self.buffers.lock().expect("one thread").from_server.len()
    }

    /// Everything that came since the last time.
    ///
    /// # Panics
    ///
    /// If a thread has panicked with the connection in its hands, or what came is not whole frames.
    pub fn take(&self) -> Received {
        let mut buffers = self.buffers.lock().expect("one thread");
        let mut received = Received::default();
        let mut rest = buffers.from_server.as_slice();
        while let Some((head, payload)) = rest.split_first_chunk::<9>() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            match head[3] {
                DATA => received.data_bytes += length,
                HEADERS => received.heads += 1,
                PUSH_PROMISE => received.promises += 1,
                _ => {}
            }
            received.ended += usize::from(head[3] <= HEADERS && head[4] & END != 0);
            rest = &payload[length..];
        }
        assert!(rest.is_empty(), "whole frames");
        buffers.from_server.clear();
        received
    }

    fn feed(&self, bytes: &[u8]) {
        let mut buffers = self.buffers.lock().expect("one thread");
        buffers.to_server.extend_from_slice(bytes);
        if let Some(reader) = buffers.reader.take() {
            reader.wake();
        }
    }

    /// A field by its index if it was sent before, else in full and added to the table. The address of a client, which is
    /// another each time, is not added: the table has room for the rest.
    fn field(&mut self, block: &mut Vec<u8>, name: &str, value: &str) {
        let known = self.table.iter().rev().position(|(n, v)| n == name && v == value);
        if let Some(at) = known {
            integer(block, 0x80, 7, 62 + at);
            return;
        }
        let is_added = name != "x-forwarded-for";
        block.push(if is_added { 0x40 } else { 0 });
        for text in [name, value] {
            integer(block, 0, 7, text.len());
            block.extend_from_slice(text.as_bytes());
        }
        if is_added {
            self.table.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// An integer with a prefix of so many bits (RFC 7541, section 5.1).
fn integer(block: &mut Vec<u8>, pattern: u8, bits: u32, value: usize) {
    let most = (1 << bits) - 1;
    if value < most {
        block.push(pattern | value as u8);
        return;
    }
    block.push(pattern | most as u8);
    let mut rest = value - most;
    while rest >= 128 {
        block.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    block.push(rest as u8);
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut buffers = self.0.lock().expect("one thread");
        let left = buffers.to_server.get(buffers.read..).unwrap_or_default();
        if left.is_empty() {
            buffers.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = left.len().min(buf.remaining());
        buf.put_slice(&left[..count]);
        buffers.read += count;
        if buffers.read == buffers.to_server.len() {
            buffers.to_server.clear();
            buffers.read = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().expect("one thread").from_server.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
