//! A scripted upstream: it reads requests strictly and answers with any bytes, also such as no server should send.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::PATIENCE;

/// A server that acts on each request as a function of its path says.
#[derive(Debug)]
pub struct ScriptedUpstream {
    /// Its address; of no meaning at a Unix socket.
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// The upstream's act on a request.
#[derive(Debug)]
pub enum Act {
    /// Sends these bytes and goes on.
    Say(Vec<u8>),
    /// Sends these bytes once there is a permit, which it takes.
    SayWhen(Arc<Semaphore>, Vec<u8>),
    /// Sends these bytes and closes.
    SayAndClose(Vec<u8>),
    /// Sends these bytes and nothing more.
    SayAndHang(Vec<u8>),
    /// Sends these bytes, one at a time.
    Trickle(Vec<u8>),
    /// Sends the first, waits for the rest of the upload, sends the second.
    SayTwice(Vec<u8>, Vec<u8>),
    /// Sends these bytes, and then back whatever comes.
    Echo(Vec<u8>),
}

impl ScriptedUpstream {
    /// Starts on a free port of the loopback address. Requests are read strictly: a head with one way to find its end. All
    /// others are logged as `BAD`.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start(script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (script, entries) = (Arc::new(script), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, entries) = (Arc::clone(&script), Arc::clone(&entries));
                tokio::spawn(async move { converse(socket, &*script, &entries).await });
            }
        });
        ScriptedUpstream { address, log }
    }

    /// Starts at a Unix socket.
    ///
    /// # Panics
    ///
    /// If there is a file already.
    pub fn start_at(path: &Path, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (script, entries) = (Arc::new(script), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, entries) = (Arc::clone(&script), Arc::clone(&entries));
                tokio::spawn(async move { converse(socket, &*script, &entries).await });
            }
        });
        ScriptedUpstream { address: ([127, 0, 0, 1], 0).into(), log }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it has received so many requests.
    ///
    /// # Panics
    ///
    /// If they do not come in time.
    pub async fn asked(&self, times: usize) {
        let asked = async {
            while self.log.lock().unwrap().len() < times {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("asked {} times, not {times}", self.heads().len()));
    }

    /// The requests that it received, as they came.
    ///
    /// # Panics
    ///
    /// If a connection has panicked.
    pub fn heads(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    ///
    /// # Panics
    ///
    /// If a connection has panicked.
    pub fn forget(&self) {
        self.log.lock().unwrap().clear();
    }
}

async fn converse<S>(mut socket: S, script: &(dyn Fn(&str) -> Act + Send + Sync), log: &Mutex<Vec<String>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut bytes = Vec::new();
    loop {
        let Some(head) = read_head(&mut socket, &mut bytes).await else {
            if !bytes.is_empty() {
                log.lock().unwrap().push(format!("BAD {:?}", String::from_utf8_lossy(&bytes)));
            }
            return;
        };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let act = script(&path);
        if let Act::SayTwice(first, _) = &act {
            socket.write_all(first).await.unwrap();
        }
        let body = read_body(&mut socket, &mut bytes, &head).await;
        log.lock().unwrap().push(match body {
            Ok(body) => format!("{head}{body}"),
            Err(why) => format!("BAD {why} in {head:?}"),
        });
        match act {
            Act::Say(answer) | Act::SayTwice(_, answer) => {
                if socket.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Act::SayWhen(permits, answer) => {
                permits.acquire().await.unwrap().forget();
                if socket.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Act::SayAndClose(answer) => {
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
                return;
            }
            Act::SayAndHang(answer) => {
                let _ = socket.write_all(&answer).await;
                let _ = socket.read_u8().await;
                return;
            }
            Act::Trickle(answer) => {
                for byte in answer {
                    if socket.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            Act::Echo(answer) => {
                let _ = socket.write_all(&answer).await;
                let (mut from, mut to) = tokio::io::split(socket);
                let _ = tokio::io::copy(&mut from, &mut to).await;
                return;
            }
        }
    }
}

async fn read_head(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = std::mem::replace(bytes, rest);
            return Some(String::from_utf8_lossy(&head).into_owned());
        }
        if socket.read_buf(bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// The body by the one field that says where it ends.
async fn read_body(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>, head: &str) -> Result<String, String> {
    let fields: Vec<(String, &str)> = head
        .split("\r\n")
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)))
        .collect::<Option<_>>()
        .ok_or("a line that is no field")?;
    if head.split("\r\n").any(|line| line.contains(['\r', '\n', '\0'])) {
        return Err("a bare control character".into());
    }
    let framing: Vec<_> =
        fields.iter().filter(|(name, _)| name == "content-length" || name == "transfer-encoding").collect();
    match framing[..] {
        [] => Ok(String::new()),
        [(name, value)] if name == "content-length" => {
            let length: usize = value.parse().map_err(|_| format!("length {value:?}"))?;
            while bytes.len() < length {
                fill(socket, bytes).await?;
            }
            let rest = bytes.split_off(length);
            Ok(String::from_utf8_lossy(&std::mem::replace(bytes, rest)).into_owned())
        }
        [(_, "chunked")] => read_chunks(socket, bytes).await,
        _ => Err("two ways to end".into()),
    }
}

/// The data of all chunks, each of which says its length in digits alone; trailers are passed over.
async fn read_chunks(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Result<String, String> {
    let mut data = Vec::new();
    loop {
        let line = read_line(socket, bytes).await?;
        let size = usize::from_str_radix(&line, 16).map_err(|_| format!("chunk of {line:?}"))?;
        if size == 0 {
            while !read_line(socket, bytes).await?.is_empty() {}
            return Ok(String::from_utf8_lossy(&data).into_owned());
        }
        while bytes.len() < size {
            fill(socket, bytes).await?;
        }
        data.extend(bytes.drain(..size));
        if !read_line(socket, bytes).await?.is_empty() {
            return Err("a chunk longer than it says".into());
        }
    }
}

async fn read_line(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Result<String, String> {
    loop {
        if let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
            let line = bytes.drain(..end + 2).take(end).collect();
            return String::from_utf8(line).map_err(|error| error.to_string());
        }
        fill(socket, bytes).await?;
    }
}

async fn fill(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Result<(), String> {
    match socket.read_buf(bytes).await {
        Ok(1..) => Ok(()),
        _ => Err("the upload broke off".into()),
    }
}

/// A response with `Content-Length`; `fields` are whole lines, each with its CRLF.
pub fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len()).into_bytes()
}

/// A 200 with the body `ok`.
pub fn ok() -> Act {
    Act::Say(answer("200 OK", "", "ok"))
}
