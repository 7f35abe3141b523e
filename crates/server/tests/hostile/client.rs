//! A client that sends any bytes, over TLS.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::server::Server;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
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
    pub(crate) fn new(server: &Server) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&server.cert).expect("its certificate")).expect("a certificate");
        let config = |protocol: &str| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let builder = builder.expect("versions").with_root_certificates(roots.clone());
            let mut config = builder.with_no_client_auth();
            config.alpn_protocols = vec![protocol.into()];
            Arc::new(config)
        };
        Self { port: server.port, http_1: config("http/1.1"), http_2: config("h2") }
    }

    /// A GET over HTTP/1.1, on a connection of its own.
    pub(crate) fn get_1(&self, path: &str) -> Answer {
        self.raw_1(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").as_bytes())
    }

    /// These bytes, then what comes until the server closes.
    pub(crate) fn raw_1(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect(&self.http_1);
        // It may refuse before all was sent.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        if !read_while(&mut stream, &mut bytes, |_| true) {
            return Answer::Silence;
        }
        let status = bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "));
        match status.and_then(|rest| std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()) {
            Some(status) => Answer::Response { status, bytes },
            None => Answer::Closed { bytes },
        }
    }

    /// A GET over HTTP/2, on a connection of its own; nothing in path and fields is checked or compressed.
    pub(crate) fn get_2(&self, path: &str, fields: &[(String, String)]) -> Answer {
        let mut block = Vec::new();
        let pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", path)];
        let fields = fields.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in pseudo.into_iter().chain(fields) {
            // Literal without indexing, new name (RFC 7541, section 6.2.2).
            block.push(0);
            for text in [name, value] {
                integer(&mut block, text.len());
                block.extend_from_slice(text.as_bytes());
            }
        }
        let mut request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // No dynamic table, so that every status is a literal; no pushes.
        frame(&mut request, 4, 0, 0, &[0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
        let mut chunks = block.chunks(16_384).peekable();
        let mut kind = 1;
        while let Some(chunk) = chunks.next() {
            let end_headers = if chunks.peek().is_none() { 4 } else { 0 };
            frame(&mut request, kind, end_headers | u8::from(kind == 1), 1, chunk);
            kind = 9;
        }
        let mut stream = self.connect(&self.http_2);
        let _ = stream.write_all(&request);
        let mut bytes = Vec::new();
        if !read_while(&mut stream, &mut bytes, |bytes| !Seen::of(bytes).ended) {
            return Answer::Silence;
        }
        match Seen::of(&bytes).status {
            Some(status) => Answer::Response { status, bytes },
            None => Answer::Closed { bytes },
        }
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
        StreamOwned::new(session, socket)
    }
}

/// Reads while `more` says so, or to the end. False if nothing came for too long.
fn read_while(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    bytes: &mut Vec<u8>,
    more: impl Fn(&[u8]) -> bool,
) -> bool {
    let mut buffer = [0; 16_384];
    while more(bytes) {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) => return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        }
    }
    true
}

/// What the frames of the server say of stream 1.
#[derive(Default)]
struct Seen {
    status: Option<u16>,
    ended: bool,
}

impl Seen {
    fn of(mut bytes: &[u8]) -> Self {
        let mut seen = Self::default();
        while let [a, b, c, kind, flags, _, _, _, stream, rest @ ..] = bytes {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let Some((payload, after)) = rest.split_at_checked(length) else { break };
            match (kind, stream) {
                // A final status, not a 1xx.
                (1, 1) => seen.status = status(payload).filter(|status| *status >= 200).or(seen.status),
                // RST_STREAM of it, GOAWAY.
                (3, 1) | (7, _) => seen.ended = true,
                _ => {}
            }
            seen.ended |= matches!(kind, 0 | 1) && *stream == 1 && flags & 1 == 1;
            bytes = after;
        }
        seen
    }
}

/// The status at the head of a block: an entry of the static table, or a literal whose name is one.
fn status(block: &[u8]) -> Option<u16> {
    match block {
        // The size of the dynamic table comes first.
        [0x20..=0x3f, rest @ ..] => status(rest),
        [indexed @ 0x88..=0x8e, ..] => Some([200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)]),
        [0x08 | 0x18 | 0x48, length, text @ ..] if length & 0x80 != 0 => {
            // Three digits in Huffman's code: 0, 1 and 2 have five bits, the others six (RFC 7541, appendix B).
            let code =
                text.get(..usize::from(length & 0x7f))?.iter().fold(0_u32, |code, byte| code << 8 | u32::from(*byte));
            let mut left = u32::from(length & 0x7f) * 8;
            let mut number = 0;
            for _ in 0..3 {
                let five = code >> left.checked_sub(5)? & 0x1f;
                let digit = if five <= 2 {
                    left -= 5;
                    five
                } else {
                    left = left.checked_sub(6)?;
                    (code >> left & 0x3f).checked_sub(0x19 - 3)?
                };
                number = number * 10 + u16::try_from(digit).ok()?;
            }
            Some(number)
        }
        [0x08 | 0x18 | 0x48, 3, text @ ..] => std::str::from_utf8(text.get(..3)?).ok()?.parse().ok(),
        _ => None,
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
    let [_, length @ ..] = u32::try_from(payload.len()).expect("a frame").to_be_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&[kind, flags, 0, 0, 0, stream]);
    out.extend_from_slice(payload);
}

/// With a prefix of seven bits (RFC 7541, section 5.1).
fn integer(out: &mut Vec<u8>, mut value: usize) {
    if value < 0x7f {
        out.push(value as u8);
        return;
    }
    out.push(0x7f);
    value -= 0x7f;
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
