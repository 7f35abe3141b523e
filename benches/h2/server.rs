//! The contenders: one axum router behind our driver, behind hyper, and behind the facade with learner and cookie.

use std::io::{Read, Write};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use headstart::Headstart;
use headstart_h2::Config;
use headstart_policy::{Client, Opening, Policy, Promise};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::uri::PathAndQuery;
use http::{HeaderMap, request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A size of response bodies.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
}

pub(crate) const SIZES: [Size; 4] = [
    Size { name: "100 B", bytes: 100 },
    Size { name: "3 KB", bytes: 3_000 },
    Size { name: "100 KB", bytes: 100_000 },
    Size { name: "1 MB", bytes: 1_000_000 },
];

/// The assets of a page, with their media types.
pub(crate) const ASSETS: [(&str, &str); 4] = [
    ("app.css", "text/css"),
    ("main.js", "text/javascript"),
    ("font.woff2", "font/woff2"),
    ("picture.webp", "image/webp"),
];

/// Pushes of `/push`, each of [`PUSHED_BYTES`].
pub(crate) const PUSHES: usize = 10;
pub(crate) const PUSHED_BYTES: usize = 3_000;

/// Serves until standard input ends. Says on standard output which port it has.
pub(crate) fn run(which: &str, tls: bool, threads: usize) {
    let mut runtime = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = runtime.worker_threads(threads).enable_all().build().expect("a runtime");
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address").port());
        std::io::stdout().flush().expect("standard output");
        let tls = tls.then(server_config);
        match which {
            "learner" => learner(listener, tls).await,
            "driver" => accept(listener, tls, Driver { router: router(), policy: (), config: Config::default() }).await,
            "pusher" => accept(listener, tls, Driver { router: router(), policy: Pusher, config: repeating() }).await,
            "hyper" => accept(listener, tls, Hyper { router: router() }).await,
            _ => panic!("no server {which}"),
        }
    });
}

/// All that the facade does, as it does it by default; one network is enough to teach, for there is one.
async fn learner(listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
    let headstart = Headstart::builder().min_networks(1).secret([7; 32]).build().expect("valid settings");
    headstart.serve(listener, tls, router()).await.expect("serves");
}

/// Serves one connection.
trait Contender: Clone + Send + 'static {
    fn serve<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: T) -> impl Future<Output = ()> + Send;
}

#[derive(Clone)]
struct Driver<P> {
    router: Router,
    policy: P,
    config: Config,
}

impl<P: Policy + Clone> Contender for Driver<P> {
    async fn serve<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: T) {
        // A load generator that has enough breaks off.
        let _ = headstart_h2::serve_connection_with(self.config, io, self.router, self.policy).await;
    }
}

#[derive(Clone)]
struct Hyper {
    router: Router,
}

impl Contender for Hyper {
    async fn serve<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, io: T) {
        let service = TowerToHyperService::new(self.router);
        let builder = auto::Builder::new(TokioExecutor::new()).http2_only();
        let _ = builder.serve_connection(TokioIo::new(io), service).await;
    }
}

async fn accept(listener: TcpListener, tls: Option<Arc<ServerConfig>>, contender: impl Contender) {
    let tls = tls.map(TlsAcceptor::from);
    loop {
        let (socket, _) = listener.accept().await.expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        let (tls, contender) = (tls.clone(), contender.clone());
        tokio::spawn(async move {
            match tls {
                None => contender.serve(socket).await,
                Some(tls) => contender.serve(tls.accept(socket).await.expect("a handshake")).await,
            }
        });
    }
}

/// `/100` and so on for the plain rows, a page with four assets of each size for the learner.
fn router() -> Router {
    let mut router = Router::new();
    for Size { bytes, .. } in SIZES {
        let body = Bytes::from(vec![b'x'; bytes]);
        let plain = body.clone();
        router = router.route(&format!("/{bytes}"), get(move || async move { plain }));
        let page = body.clone();
        let html = [(CONTENT_TYPE, "text/html")];
        router = router.route(&format!("/{bytes}/page.html"), get(move || async move { (html, page) }));
        for (name, media) in ASSETS {
            let body = body.clone();
            let head = [(CONTENT_TYPE, media), (CACHE_CONTROL, "max-age=3600"), (ETAG, "\"one\"")];
            router = router.route(&format!("/{bytes}/{name}"), get(move || async move { (head, body) }));
        }
    }
    let pushed = Bytes::from(vec![b'x'; PUSHED_BYTES]);
    for number in 0..PUSHES {
        let body = pushed.clone();
        router = router.route(&format!("/pushed/{number}"), get(move || async move { body }));
    }
    router.route("/push", get(move || async move { pushed }))
}

/// Pushes the same with each page, however often: what a connection was sent before is of no interest here.
#[derive(Clone)]
struct Pusher;

fn repeating() -> Config {
    let mut config = Config::default();
    config.max_diary_entries = 0;
    config.max_pushed_bytes = u64::MAX;
    config.max_open_pushes = 100;
    config
}

impl Policy for Pusher {
    type Exchange = ();
    type Tag = usize;

    fn request(&mut self, client: Client, request: &mut request::Parts) -> Opening<(), usize> {
        let mut opening = Opening::new(());
        if client.push && request.uri.path() == "/push" {
            opening.promises = (0..PUSHES).map(promise).collect();
        }
        opening
    }
}

fn promise(number: usize) -> Promise<usize> {
    let path = PathAndQuery::try_from(format!("/pushed/{number}")).expect("a path");
    Promise { path, headers: HeaderMap::new(), priority: None, tag: number }
}

fn server_config() -> Arc<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("a key");
    let key = own.signing_key.serialize_der().try_into().expect("a private key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key))
        .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}
