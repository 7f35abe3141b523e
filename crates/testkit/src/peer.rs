//! A client over HTTP/2 that sends exactly the bytes it is told to and keeps every frame it hears.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::frames::{self, DATA, END, Frame, GOAWAY, PING, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE};

/// On paused time a wait of this length ends only when no task has anything left to do; over TCP it is a wait.
const QUIET: Duration = Duration::from_millis(1);

/// A client over HTTP/2 that does as it is told.
///
/// On paused time (`tokio::time::pause`) the server counts as quiet when no task has anything left to do.
#[derive(Debug)]
pub struct Peer<T> {
    io: T,
    /// How long the server has to be silent to count as quiet.
    quiet: Duration,
    /// A frame that is not complete.
    partial: Vec<u8>,
    /// All frames since the connection began.
    pub heard: Vec<Frame>,
    told: usize,
    /// Whether the server has closed the connection.
    pub closed: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Peer<T> {
    /// Makes a client of a connection; nothing is sent.
    pub fn new(io: T) -> Self {
        Peer { io, quiet: QUIET, partial: Vec::new(), heard: Vec::new(), told: 0, closed: false }
    }

    /// Waits so long before the server counts as quiet.
    pub fn patient(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sends the preface and these settings, and acknowledges the server's, which it does not wait for. The
    /// dynamic table is switched off, see [`Frame::status`].
    pub async fn greet(&mut self, entries: &[(u16, u32)]) {
        let entries = [&[(frames::HEADER_TABLE_SIZE, 0)], entries].concat();
        self.send(frames::greeting(&entries)).await;
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// If the server is gone.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends bytes as they are, to a server that may be gone.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.io.write_all(bytes.as_ref()).await.is_ok()
    }

    /// The next frame; `None` when the server is quiet or gone.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::take(&mut self.partial) {
                self.heard.push(frame.clone());
                return Some(frame);
            }
            match timeout(self.quiet, self.io.read_buf(&mut self.partial)).await {
                Ok(Ok(0) | Err(_)) => {
                    self.closed = true;
                    return None;
                }
                Ok(Ok(_)) => {}
                Err(_) => return None,
            }
        }
    }

    /// Reads until the server is quiet and tells what was heard since the last trace, without SETTINGS, PING and
    /// window updates; DATA of one stream is summed up.
    pub async fn trace(&mut self) -> String {
        while self.next().await.is_some() {}
        let mut told: Vec<Frame> = Vec::new();
        for frame in &self.heard[self.told..] {
            match (told.last_mut(), frame.kind) {
                (_, SETTINGS | PING | WINDOW_UPDATE) => {}
                (Some(last), DATA) if last.kind == DATA && last.stream == frame.stream => {
                    last.payload.extend(&frame.payload);
                    last.flags = frame.flags;
                }
                _ => told.push(frame.clone()),
            }
        }
        self.told = self.heard.len();
        let words: Vec<String> = told.iter().map(Frame::to_string).collect();
        words.join(", ")
    }

    /// Reads on as a client does that takes all: returns every window as data arrives, until the server is
    /// quiet.
    pub async fn drink(&mut self) {
        while let Some(frame) = self.next().await {
            if frame.kind == DATA && !frame.payload.is_empty() {
                let bytes = frame.payload.len() as u32;
                let mut credit = frames::window(0, bytes);
                if !frame.ends() {
                    credit.extend(frames::window(frame.stream, bytes));
                }
                // A server that has closed may have sent more than was read.
                self.try_send(credit).await;
            }
        }
    }

    /// Bytes of DATA heard on a stream.
    pub fn bytes(&self, stream: u32) -> usize {
        self.heard.iter().filter(|f| f.kind == DATA && f.stream == stream).map(|f| f.payload.len()).sum()
    }

    /// Whether the end of a stream was heard.
    pub fn ended(&self, stream: u32) -> bool {
        self.heard.iter().any(|frame| frame.stream == stream && frame.ends())
    }

    /// The promised streams in the order heard.
    pub fn promised(&self) -> Vec<u32> {
        self.heard.iter().filter(|frame| frame.kind == PUSH_PROMISE).map(|frame| frame.word(0)).collect()
    }

    /// The error codes of RST_STREAM heard on a stream.
    pub fn resets(&self, stream: u32) -> Vec<u32> {
        self.heard.iter().filter(|f| f.kind == RST_STREAM && f.stream == stream).map(|f| f.word(0)).collect()
    }

    /// Asserts that the server answers a PING, has not said GOAWAY, and never broke a rule of push: promised ids
    /// ascend (RFC 9113, section 5.1.1), on client streams that were open and before their end (section 8.4).
    ///
    /// # Panics
    ///
    /// If it is not so.
    pub async fn assert_well(&mut self) {
        self.send(frames::frame(PING, 0, 0, b"are you?")).await;
        self.drink().await;
        self.assert_lawful();
        assert!(!self.closed, "the server closed the connection");
        let answered = self.heard.iter().any(|f| f.kind == PING && f.flags & END != 0 && f.payload == b"are you?");
        assert!(answered, "the server does not answer");
        assert!(!self.heard.iter().any(|frame| frame.kind == GOAWAY), "the server gave the connection up");
    }

    /// The part of [`assert_well`](Self::assert_well) that holds for a connection that is over, too.
    ///
    /// # Panics
    ///
    /// If it is not so.
    pub fn assert_lawful(&self) {
        let promised = self.promised();
        assert!(promised.is_sorted_by(|a, b| a < b), "promised streams do not ascend: {promised:?}");
        let mut over = Vec::new();
        for frame in &self.heard {
            if matches!(frame.kind, DATA | frames::HEADERS | PUSH_PROMISE) {
                assert!(!over.contains(&frame.stream), "{frame} after the end of its stream");
            }
            if frame.ends() || frame.kind == RST_STREAM {
                over.push(frame.stream);
            }
        }
    }
}
