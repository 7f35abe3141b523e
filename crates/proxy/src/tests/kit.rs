//! What these tests stand on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use headstart::Headstart;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::Fault;
use crate::{Address, Cache, Config, Proxy};

/// How long anything may take before a test gives up on it.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Servers that are no decent servers: what they do is a function of the request's path.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

/// What an upstream does with a request.
pub(super) enum Act {
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

impl Upstream {
    /// Reads requests strictly: a head with one way to find its end. What is none is logged as `BAD`.
    pub(super) async fn start(script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
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
        Upstream { address, log }
    }

    /// The same at a Unix socket; `address` says nothing.
    pub(super) fn start_at(path: &std::path::Path, script: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (script, entries) = (Arc::new(script), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, entries) = (Arc::clone(&script), Arc::clone(&entries));
                tokio::spawn(async move { converse(socket, &*script, &entries).await });
            }
        });
        Upstream { address: ([127, 0, 0, 1], 0).into(), log }
    }

    pub(super) fn url(&self) -> Address {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Waits until it has got so many heads.
    pub(super) async fn asked(&self, times: usize) {
        let asked = async {
            while self.log.lock().unwrap().len() < times {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("asked {} times, not {times}", self.heads().len()));
    }

    /// The heads that it got, as they came.
    pub(super) fn heads(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
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

/// A proxy that is served in clear, over both versions of HTTP.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    pub(super) proxy: Proxy,
    pub(super) cache: Cache,
}

impl Front {
    pub(super) async fn start(config: Config) -> Self {
        let cache = Cache::default();
        let proxy = Proxy::new(config, cache.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let headstart = Headstart::builder().min_networks(1).holdout(0).build().unwrap();
        tokio::spawn(headstart.serve(listener, None, proxy.clone()).into_future());
        Front { address, proxy, cache }
    }

    /// In front of one upstream, with timeouts that a test can wait for.
    pub(super) async fn before(upstream: &Upstream, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(vec![upstream.url()]);
        config.timeouts.connect = Duration::from_millis(500);
        config.timeouts.head = Duration::from_millis(500);
        config.timeouts.body = Duration::from_millis(500);
        change(&mut config);
        Front::start(config).await
    }

    pub(super) fn faults(&self, fault: Fault) -> u64 {
        self.proxy.stats().faults.iter().find(|(found, _)| *found == fault).unwrap().1
    }

    /// Sends bytes over HTTP/1.1 and reads until the proxy closes, or has said nothing for a while.
    pub(super) async fn raw(&self, bytes: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // A proxy that has heard enough may close before all is written.
        let _ = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        while let Ok(Ok(1..)) = timeout(Duration::from_millis(150), socket.read_buf(&mut answer)).await {}
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One request over HTTP/1.1 on a connection of its own; the status, or 0 if no head came, and the body unless it
    /// broke off.
    pub(super) async fn http1(&self, request: Request<Full<Bytes>>) -> (u16, Option<String>) {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        match timeout(PATIENCE, sender.send_request(request)).await.unwrap() {
            Ok(response) => whole(response).await,
            Err(_) => (0, None),
        }
    }

    pub(super) async fn http2(&self, request: Request<Full<Bytes>>) -> (u16, Option<String>) {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        let (mut head, body) = request.into_parts();
        head.headers.remove("host");
        head.uri = format!("http://a.example{}", head.uri).parse().unwrap();
        match timeout(PATIENCE, sender.send_request(Request::from_parts(head, body))).await.unwrap() {
            Ok(response) => whole(response).await,
            Err(_) => (0, None),
        }
    }

    pub(super) async fn get(&self, version: u8, path: &str) -> (u16, Option<String>) {
        let request = Request::builder().uri(path).header("host", "a.example").body(Full::default()).unwrap();
        if version == 2 { self.http2(request).await } else { self.http1(request).await }
    }
}

async fn whole(response: Response<Incoming>) -> (u16, Option<String>) {
    let status = response.status().as_u16();
    let body = timeout(PATIENCE, response.into_body().collect()).await.expect("an end");
    (status, body.ok().map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}

/// A response with a length.
pub(super) fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len()).into_bytes()
}

pub(super) fn ok() -> Act {
    Act::Say(answer("200 OK", "", "ok"))
}
