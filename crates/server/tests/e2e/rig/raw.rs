//! Bytes that no decent client sends.

use std::io::Write as _;
use std::time::Duration;

use super::server::Server;
use testkit::{http1, tls};

/// Sends bytes (one for each character) over TLS after choosing a protocol by ALPN; returns what came back until the
/// server closed or was silent for a second.
pub(crate) fn send(server: &Server, protocol: &str, bytes: &str) -> String {
    let bytes: Vec<u8> = bytes.chars().map(|c| u8::try_from(c).expect("a byte")).collect();
    let socket = http1::connect(("127.0.0.1", server.port)).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
    let config = tls::client(&[tls::read_certificate(&server.cert)], &[protocol]);
    let mut stream = tls::blocking(&config, "127.0.0.1", socket);
    // It may refuse before all was sent.
    let _ = stream.write_all(&bytes);
    String::from_utf8_lossy(&http1::read_to_end(&mut stream).0).into_owned()
}

/// Asks over HTTP/2 for a path so many times at once, without a window to send it into. What is
/// returned holds the connection.
pub(crate) fn hold_downloads(server: &Server, path: &str, count: u32) -> impl Sized {
    use testkit::frames::{INITIAL_WINDOW_SIZE, block, greeting, head};
    let socket = http1::connect(("127.0.0.1", server.port)).expect("it listens");
    let config = tls::client(&[tls::read_certificate(&server.cert)], &["h2"]);
    let mut stream = tls::blocking(&config, "127.0.0.1", socket);
    let authority = format!("127.0.0.1:{}", server.port);
    let mut bytes = greeting(&[(INITIAL_WINDOW_SIZE, 0)]);
    bytes.extend((0..count).flat_map(|n| head(2 * n + 1, true, &block(&authority, "GET", path, &[]))));
    stream.write_all(&bytes).expect("it reads");
    stream.flush().expect("it reads");
    stream
}
