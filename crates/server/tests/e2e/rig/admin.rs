//! A reader of the admin listener, in plain HTTP/1.1.

use super::server::Server;
use serde_json::Value;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::http1;

/// The options that start a program with an admin listener.
pub(crate) const ADMIN: [&str; 2] = ["--admin", "127.0.0.1:0"];

/// An admin listener.
#[derive(Clone, Copy)]
pub(crate) struct Admin {
    pub(crate) port: u16,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Admin {
    pub(crate) fn of(server: &Server) -> Self {
        let line = server.line("with the dashboard's address", |line| line.contains("dashboard at http://127.0.0.1:"));
        let (_, rest) = line.split_once("http://127.0.0.1:").expect("the address");
        let port = rest.trim_end_matches('/').parse().expect("a port");
        Self { port }
    }

    pub(crate) fn url(self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn get(self, path: &str) -> Reply {
        self.get_as(path, "*/*")
    }

    pub(crate) fn get_as(self, path: &str, accept: &str) -> Reply {
        http1::get(("127.0.0.1", self.port), &self.host(), path, &[("accept", accept)]).into()
    }

    /// The events of a stream in so long a time.
    pub(crate) fn listen(self, path: &str, time: Duration) -> String {
        let mut stream = self.ask(path, "text/event-stream");
        let end = Instant::now() + time;
        let mut bytes = Vec::new();
        let mut piece = [0; 16 << 10];
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            stream.set_read_timeout(Some(left)).expect("a timeout");
            match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => bytes.extend_from_slice(&piece[..length]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error}"),
            }
        }
        String::from_utf8(bytes).expect("text")
    }

    fn ask(self, path: &str, accept: &str) -> TcpStream {
        let mut stream = http1::connect(("127.0.0.1", self.port)).expect("the admin listener listens");
        stream.write_all(http1::head(&self.host(), path, &[("accept", accept)]).as_bytes()).expect("it reads");
        stream
    }

    fn host(self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }
}

impl From<http1::Reply> for Reply {
    fn from(reply: http1::Reply) -> Self {
        assert!(reply.field("transfer-encoding").is_none(), "a length is known: {}", reply.head);
        let body = reply.text();
        Self { status: reply.status, head: reply.head, body }
    }
}
