//! The site, and a client that loads its page once.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _};
use h2::client::SendRequest;
use headstart_benches::peers::{Certificate, Running};
use http::Request;
use rustls::pki_types::ServerName;
use testkit::tls;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

const PAGE: (&str, usize) = ("/index.html", 30_000);
/// A page's assets: path, bytes, and destination.
const ASSETS: [(&str, usize, &str); 10] = [
    ("/site.css", 20_000, "style"),
    ("/app.js", 30_000, "script"),
    ("/menu.js", 10_000, "script"),
    ("/text.woff2", 20_000, "font"),
    ("/head.jpg", 20_000, "image"),
    ("/one.jpg", 10_000, "image"),
    ("/two.jpg", 10_000, "image"),
    ("/three.jpg", 10_000, "image"),
    ("/four.jpg", 10_000, "image"),
    ("/logo.png", 3_000, "image"),
];
const AT_ONCE: usize = 8;
/// Addresses that clients come from: with eight at a time none has two connections.
const ADDRESSES: usize = 250;
const PATIENCE: Duration = Duration::from_secs(20);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Clients on a thread of their own.
pub(crate) struct Visitors {
    runtime: Runtime,
    tls: Arc<rustls::ClientConfig>,
}

impl Visitors {
    pub(crate) fn new(certificate: &Certificate) -> std::io::Result<Self> {
        let mut tls = rustls::ClientConfig::clone(&tls::with_protocols(&certificate.trusted(), &["h2"]));
        tls.resumption = rustls::client::Resumption::disabled();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, tls: Arc::new(tls) })
    }

    /// So many clients come, one after another in eight lines.
    pub(crate) fn come(&self, server: &Running, clients: usize) -> Result<(), String> {
        let visits = stream::iter(0..clients).map(|number| async move {
            let visit = tokio::time::timeout(PATIENCE, self.visit(server.address(), number));
            visit.await.map_err(|_| "a client waits for too long".to_owned())?.map_err(|error| error.to_string())
        });
        let visits = visits.buffer_unordered(AT_ONCE).collect::<Vec<Result<(), String>>>();
        let done = self.runtime.block_on(visits).into_iter().collect::<Result<(), String>>();
        done.map_err(|why| format!("{}: {why}", server.name()))
    }

    async fn visit(&self, address: SocketAddr, number: usize) -> Result<(), Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 1, (number % ADDRESSES) as u8 + 1, 1), 0).into())?;
        // A reset in the end: no port is kept back for minutes.
        socket.set_zero_linger()?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let mut builder = h2::client::Builder::new();
        builder.enable_push(false).initial_window_size(6 << 20).initial_connection_window_size(15 << 20);
        let (mut send, connection) = builder.handshake::<_, Bytes>(stream).await?;
        let authority = format!("localhost:{}", address.port());
        let load = async {
            send = send.ready().await?;
            get(&mut send, &authority, PAGE.0, PAGE.1, "document").await?;
            let assets = ASSETS.map(|(path, bytes, destination)| {
                let (mut send, authority) = (send.clone(), &authority);
                async move { get(&mut send, authority, path, bytes, destination).await }
            });
            try_join_all(assets).await
        };
        tokio::select! {
            loaded = load => loaded.map(drop),
            ended = connection => Err(ended.map_or_else(Into::into, |()| "the connection ended".into())),
        }
    }
}

/// Asks for a file, which has to come whole.
async fn get(
    send: &mut SendRequest<Bytes>,
    authority: &str,
    path: &str,
    bytes: usize,
    destination: &str,
) -> Result<(), Failure> {
    let page = destination == "document";
    let mut request = Request::builder()
        .uri(format!("https://{authority}{path}"))
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0")
        .header("accept", if page { "text/html,*/*;q=0.8" } else { "*/*" })
        .header("sec-fetch-dest", destination)
        .header("sec-fetch-mode", if page { "navigate" } else { "no-cors" })
        .header("sec-fetch-site", if page { "none" } else { "same-origin" });
    if !page {
        request = request.header("referer", format!("https://{authority}{}", PAGE.0));
    }
    let (response, _) = send.send_request(request.body(())?, true)?;
    let response = response.await?;
    if response.status() != 200 {
        return Err(format!("{path}: {}", response.status()).into());
    }
    let mut body = response.into_body();
    let mut came = 0;
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        came += chunk.len();
        body.flow_control().release_capacity(chunk.len())?;
    }
    if came == bytes { Ok(()) } else { Err(format!("{path}: {came} bytes for {bytes}").into()) }
}

/// Writes the files.
pub(crate) fn write_site(root: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(root)?;
    let mut html = "<!doctype html><title>A page</title>\n".to_owned();
    for (path, _, destination) in ASSETS {
        let _ = match destination {
            "style" => writeln!(html, "<link rel=stylesheet href={path}>"),
            "script" => writeln!(html, "<script src={path}></script>"),
            "image" => writeln!(html, "<img src={path} alt=''>"),
            _ => Ok(()),
        };
    }
    let files = ASSETS.iter().map(|(path, bytes, _)| (*path, *bytes, String::new()));
    for (path, bytes, mut text) in files.chain([(PAGE.0, PAGE.1, html)]) {
        let mut number = 0_u32;
        while text.len() < bytes {
            // Not compressible to nothing, and the same in each run.
            let _ = write!(text, "{:08x} ", number.wrapping_mul(0x9e37_79b9));
            number += 1;
        }
        text.truncate(bytes);
        std::fs::write(root.join(path.trim_start_matches('/')), text)?;
    }
    Ok(())
}
