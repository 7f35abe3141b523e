//! A client that sends any bytes, over TLS.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use testkit::frames::{self, Frame, GOAWAY, HEADERS, RST_STREAM};
use testkit::{http1, tls};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The response.
#[derive(Debug)]
pub(crate) enum Answer {
    Response {
        status: u16,
        bytes: Vec<u8>,
    },
    /// The server ended the connection or the stream without a response.
    Closed {
        bytes: Vec<u8>,
    },
    /// Neither, in all that time.
    Silence,
}

impl Answer {
    pub(crate) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Response { bytes, .. } | Self::Closed { bytes } => {
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            }
            Self::Silence => false,
        }
    }
}

pub(crate) struct Client {
    port: u16,
    http_1: Arc<ClientConfig>,
    http_2: Arc<ClientConfig>,
}

impl Client {
    /// A client of the program on `port` that trusts one certificate (DER).
    pub(crate) fn new(port: u16, certificate: &[u8]) -> Self {
        let config = |protocol| tls::client(&[certificate], &[protocol]);
        Self { port, http_1: config("http/1.1"), http_2: config("h2") }
    }

    /// A GET over HTTP/1.1, on a connection of its own.
    pub(crate) fn get_1(&self, path: &str) -> Answer {
        self.raw_1(http1::head("127.0.0.1", path, &[]).as_bytes())
    }

    /// These bytes, then what comes until the server closes.
    pub(crate) fn raw_1(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect(&self.http_1);
        // It may refuse before all was sent.
        let _ = stream.write_all(request);
        let (bytes, true) = http1::read_to_end(&mut stream) else { return Answer::Silence };
        let status = bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "));
        match status.and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()) {
            Some(status) => Answer::Response { status, bytes },
            None => Answer::Closed { bytes },
        }
    }

    /// A GET over HTTP/2, on a connection of its own; nothing in path and fields is checked or compressed.
    pub(crate) fn get_2(&self, path: &str, fields: &[(String, String)]) -> Answer {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let block = frames::block("127.0.0.1", "GET", path, &fields);
        // No dynamic table, so that every status is a literal; no pushes.
        let settings = frames::settings(&[(frames::HEADER_TABLE_SIZE, 0), (frames::ENABLE_PUSH, 0)]);
        let request = [frames::PREFACE, &settings, &frames::long_head(1, true, &block)].concat();
        let mut stream = self.connect(&self.http_2);
        let _ = stream.write_all(&request);
        let (bytes, true) = http1::read_while(&mut stream, |bytes| !is_over(&Frame::all(bytes))) else {
            return Answer::Silence;
        };
        // A final status, not a 1xx.
        let statuses = Frame::all(&bytes).into_iter().filter(|frame| frame.kind == HEADERS && frame.stream == 1);
        match statuses.filter_map(|frame| frame.status()).find(|status| *status >= 200) {
            Some(status) => Answer::Response { status, bytes },
            None => Answer::Closed { bytes },
        }
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        tls::blocking(config, "127.0.0.1", socket)
    }
}

/// Whether the request on stream 1 has its answer, or gets none.
fn is_over(frames: &[Frame]) -> bool {
    let ends = |frame: &Frame| match frame.kind {
        RST_STREAM => frame.stream == 1,
        GOAWAY => true,
        _ => frame.stream == 1 && frame.ends(),
    };
    frames.iter().any(ends)
}
