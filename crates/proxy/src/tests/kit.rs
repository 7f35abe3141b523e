//! A proxy in front of a scripted upstream.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use headstart::Headstart;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
pub(super) use testkit::PATIENCE;
pub(super) use testkit::script::{Act, ScriptedUpstream as Upstream, answer, ok};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::error::Fault;
use crate::{Address, Cache, Config, Proxy};

/// The address of an upstream, as a configuration has it.
pub(super) fn address(upstream: &Upstream) -> Address {
    upstream.url().parse().unwrap()
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
        let mut config = Config::new(vec![address(upstream)]);
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
