//! The guard against request smuggling (RFC 9112, section 11.2): HTTP/1.1 requests that give the length of their
//! content in two ways are refused.
//!
//! `Transfer-Encoding` beside `Content-Length` is how requests are smuggled past proxies (RFC 9112, section 6.1). hyper
//! reads such a request by the former and drops the latter, so that a service never learns of it, and takes what
//! follows for the next request. This looks at heads as they are read and spoils the second of the two names, which
//! hyper then answers with 400, and closes.
//!
//! It only ever makes hyper refuse more. After input that hyper refuses as well, the guard may no longer know where a
//! request begins; nothing after that is answered.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use super::granted::Granted;
use super::writes_to_io::writes_to_io;

const CODING: &[u8] = b"transfer-encoding";
const LENGTH: &[u8] = b"content-length";
/// The longest of them.
const MAX_NAME: usize = CODING.len();
/// No field name has it: hyper refuses the head.
const SPOILER: u8 = 0;

/// A connection whose requests are looked at, until it is granted another protocol.
pub(crate) struct SmugglingGuard<T> {
    io: T,
    reader: Reader,
    granted: Granted,
}

impl<T> SmugglingGuard<T> {
    pub(crate) fn new(io: T, granted: Granted) -> Self {
        SmugglingGuard { io, reader: Reader::default(), granted }
    }

    /// How many requests were read, if all that was read are whole requests over HTTP/1.1.
    pub(super) fn whole_requests(&self) -> Option<u64> {
        let is_whole = !self.granted.is_set() && self.reader.position == Position::RequestLine(false);
        is_whole.then_some(self.reader.requests)
    }
}

/// Position in the stream of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Before the first line of a request, or in it.
    RequestLine(bool),
    /// The name of a field, or the empty line.
    Name,
    Value,
    /// Content of known length: bytes left.
    Content(u64),
    ChunkSize,
    /// An extension of a chunk, which nobody reads.
    ChunkExtension,
    /// The data of a chunk: bytes left.
    Chunk(u64),
    /// The end of the line after it.
    ChunkEnd,
    /// A line of the trailer section, and whether it has a byte yet.
    Trailer(bool),
    /// Nobody reads the rest as HTTP/1.1.
    Opaque,
}

impl Default for Position {
    fn default() -> Self {
        Position::RequestLine(false)
    }
}

/// How a head says where its content ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Coding,
    Length,
}

/// The head that is being read.
#[derive(Default)]
struct Reader {
    position: Position,
    name: [u8; MAX_NAME],
    name_length: usize,
    reads_length: bool,
    framing: Option<Framing>,
    length: u64,
    /// Whole ones before it.
    requests: u64,
}

impl Reader {
    /// Looks at the next bytes.
    fn look(&mut self, mut bytes: &mut [u8]) {
        while let Some((byte, rest)) = std::mem::take(&mut bytes).split_first_mut() {
            let skipped = match &mut self.position {
                Position::Opaque => return,
                Position::Content(left) | Position::Chunk(left) => {
                    // This byte, and as many more as belong to it.
                    let more = left.saturating_sub(1).min(rest.len() as u64);
                    *left = left.saturating_sub(1).saturating_sub(more);
                    Some(usize::try_from(more).unwrap_or(0))
                }
                _ => None,
            };
            if let Some(more) = skipped {
                self.position = match self.position {
                    Position::Content(0) => self.next_request(),
                    Position::Chunk(0) => Position::ChunkEnd,
                    place => place,
                };
                bytes = rest.get_mut(more..).unwrap_or_default();
            } else {
                self.step(byte);
                bytes = rest;
            }
        }
    }

    fn step(&mut self, byte: &mut u8) {
        self.position = match (self.position, *byte) {
            (Position::RequestLine(true) | Position::Value, b'\n') => {
                self.name_length = 0;
                Position::Name
            }
            (Position::Name, b'\r') => Position::Name,
            // Empty lines before a request are skipped (RFC 9112, section 2.2).
            (Position::RequestLine(false), b'\r' | b'\n') => Position::RequestLine(false),
            (Position::RequestLine(_), _) => Position::RequestLine(true),
            (Position::Name, b':') => self.named(byte),
            (Position::Name, b'\n') => self.head_ended(),
            (Position::Name, other) => {
                if let Some(place) = self.name.get_mut(self.name_length) {
                    *place = other.to_ascii_lowercase();
                }
                self.name_length = self.name_length.saturating_add(1);
                Position::Name
            }
            (Position::Value, digit @ b'0'..=b'9') if self.reads_length => {
                self.length = self.length.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
                Position::Value
            }
            (Position::ChunkSize, digit) if digit.is_ascii_hexdigit() => {
                let value = char::from(digit).to_digit(16).unwrap_or(0);
                self.length = self.length.saturating_mul(16).saturating_add(u64::from(value));
                Position::ChunkSize
            }
            (Position::ChunkSize | Position::ChunkExtension, b'\n') => match std::mem::take(&mut self.length) {
                0 => Position::Trailer(false),
                length => Position::Chunk(length),
            },
            (Position::ChunkSize, b'\r') | (Position::ChunkEnd, b'\n') => Position::ChunkSize,
            (Position::ChunkSize | Position::ChunkExtension, _) => Position::ChunkExtension,
            (Position::Trailer(false), b'\n') => self.next_request(),
            (Position::Trailer(true), b'\n') => Position::Trailer(false),
            (Position::Trailer(begun), b'\r') => Position::Trailer(begun),
            (Position::Trailer(_), _) => Position::Trailer(true),
            (place, _) => place,
        };
    }

    /// The name of a field is complete: at its colon.
    fn named(&mut self, colon: &mut u8) -> Position {
        let name = self.name.get(..self.name_length).unwrap_or_default();
        let framing = match name {
            CODING => Some(Framing::Coding),
            LENGTH => Some(Framing::Length),
            _ => None,
        };
        self.reads_length = framing == Some(Framing::Length) && self.framing.is_none();
        if framing.is_some() && self.framing.is_some() && framing != self.framing {
            *colon = SPOILER;
            return Position::Opaque;
        }
        self.framing = framing.or(self.framing);
        Position::Value
    }

    fn head_ended(&mut self) -> Position {
        // A line without a colon is refused by hyper.
        if self.name_length > 0 {
            return Position::Opaque;
        }
        if self.framing == Some(Framing::Coding) {
            self.length = 0;
            return Position::ChunkSize;
        }
        match self.length {
            0 => self.next_request(),
            length => Position::Content(length),
        }
    }

    fn next_request(&mut self) -> Position {
        *self = Reader { requests: self.requests.saturating_add(1), ..Reader::default() };
        self.position
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for SmugglingGuard<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, into);
        if !self.granted.is_set()
            && let Some(read) = into.filled_mut().get_mut(before..)
        {
            self.reader.look(read);
        }
        polled
    }
}

writes_to_io!(SmugglingGuard);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Whether something was spoiled, in pieces of this size.
    fn spoils(text: &str, piece: usize) -> bool {
        let mut reader = Reader::default();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(piece).for_each(|piece| reader.look(piece));
        bytes != text.as_bytes()
    }

    #[track_caller]
    fn check(text: &str, expected: bool) {
        for piece in [1, 3, 7, 4096] {
            assert_eq!(spoils(text, piece), expected, "{text:?} in pieces of {piece}");
        }
    }

    const BOTH: &str = "POST / HTTP/1.1\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\n\r\n";

    #[test]
    fn both_are_spoiled_in_either_order_and_in_any_request() {
        check(BOTH, true);
        check("\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: y\r\ncontent-LENGTH: 5\r\n\r\n", true);
        check("POST / HTTP/1.1\nContent-Length: 5\nTransfer-Encoding: chunked\n\n", true);
        for before in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\nPOST\r\nX: y\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nT: x\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            check(&format!("{before}{BOTH}"), true);
        }
    }

    #[test]
    fn content_and_what_is_no_http_are_left_alone() {
        for before in [
            "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
        ] {
            check(&format!("{before}{BOTH}"), false);
        }
        check("GET / HTTP/1.1\r\nX-Content-Length: 1\r\nX: transfer-encoding: content-length:\r\n\r\n", false);
        check("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", false);
    }

    #[tokio::test]
    async fn only_a_change_that_is_granted_ends_the_looking() {
        const UPGRADE: &str = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        check(&format!("{UPGRADE}{BOTH}"), true);
        check(&format!("COPY / HTTP/1.1\r\n\r\n{BOTH}"), true);
        check(&format!("CONNECT a:443 HTTP/1.1\r\n\r\n{BOTH}"), true);
        for is_granted in [false, true] {
            let (near, mut far) = tokio::io::duplex(1024);
            let granted = Granted::default();
            let mut guard = SmugglingGuard::new(near, granted.clone());
            let mut head = [0; UPGRADE.len()];
            far.write_all(UPGRADE.as_bytes()).await.unwrap();
            guard.read_exact(&mut head).await.unwrap();
            if is_granted {
                granted.set();
            }
            let mut rest = [0; BOTH.len()];
            far.write_all(BOTH.as_bytes()).await.unwrap();
            guard.read_exact(&mut rest).await.unwrap();
            assert_eq!(rest == BOTH.as_bytes(), is_granted);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..500), piece in 1_usize..50) {
            let mut reader = Reader::default();
            let mut seen = bytes.clone();
            seen.chunks_mut(piece).for_each(|piece| reader.look(piece));
            // At most one byte, once.
            prop_assert!(seen.iter().zip(&bytes).filter(|(a, b)| a != b).count() <= 1);
        }
    }
}
