//! A client over HTTP/1 that sends any bytes, one connection a request.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Status line and fields in lower case.
    pub head: String,
    /// The body with its chunks joined.
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads the final response from what a server sent, interim ones (1xx) left out. `None` if there is none.
    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        loop {
            let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
            let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let rest = &bytes[at + 4..];
            let status = head.strip_prefix("http/1.").and_then(|rest| rest.get(2..5)?.parse().ok())?;
            if matches!(status, 100..=199) && status != 101 {
                bytes = rest;
                continue;
            }
            let chunked = head.lines().any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked"));
            let body = if chunked { join_chunks(rest) } else { rest.to_vec() };
            return Some(Self { status, head, body });
        }
    }

    /// The value of a field, in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

fn join_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..at]);
        let Ok(size) = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16) else { break };
        let data = bytes.get(at + 2..).unwrap_or_default();
        body.extend_from_slice(&data[..size.min(data.len())]);
        match data.get(size + 2..) {
            Some(rest) if size > 0 => bytes = rest,
            _ => break,
        }
    }
    body
}

/// Connects; reads and writes give up after half a minute.
///
/// # Errors
///
/// Those of the system.
pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// A GET on a connection of its own.
///
/// # Panics
///
/// If there is no response.
#[track_caller]
pub fn get(address: impl ToSocketAddrs, host: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut socket = connect(address).expect("it listens");
    socket.write_all(head(host, path, fields).as_bytes()).expect("it reads");
    let (bytes, _) = read_to_end(&mut socket);
    Reply::parse(&bytes).unwrap_or_else(|| panic!("no response in {:?}", String::from_utf8_lossy(&bytes)))
}

/// The head of a GET that asks for the connection to be closed.
pub fn head(host: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let more: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{}connection: close\r\n\r\n", more.concat())
}

/// Reads until the server closes; returns the bytes, and false if it did not close in time.
pub fn read_to_end(stream: &mut impl Read) -> (Vec<u8>, bool) {
    read_while(stream, |_| true)
}

/// Reads while `more` says so of all bytes so far, or until the server closes; returns the bytes, and false if the server
/// was silent for too long.
pub fn read_while(stream: &mut impl Read, more: impl Fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    while more(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return (bytes, false);
            }
            // A reset, or TLS without a close_notify.
            Err(_) => break,
        }
    }
    (bytes, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_past_interim_ones_and_through_chunks() {
        let reply = Reply::parse(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: Y\r\n\r\n\
            3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
        )
        .expect("a response");
        assert_eq!((reply.status, reply.text().as_str(), reply.field("x")), (200, "abcde", Some("y")));
        assert!(Reply::parse(b"HTTP/1.1 200 OK\r\n").is_none());
        assert!(Reply::parse(b"nonsense\r\n\r\n").is_none());
    }
}
