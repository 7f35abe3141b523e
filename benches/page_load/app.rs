//! The servers of this benchmark that are its own binary, started once more: ours and its Rust peers around one
//! handler, which can take its time over a page.

mod bare;
mod files;
mod oracle;

use std::error::Error;
use std::net::SocketAddr;
use std::process::exit;
use std::sync::Arc;
use std::time::Duration;

use crate::peers::{Peer, Program};
use headstart::Headstart;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::site::Site;
use files::Files;

const FLAG: &str = "--be-app";

/// A server that is this binary. What it is, how long it thinks (ms) and which site it serves are its extra words.
pub(crate) const APP: Peer = Peer {
    name: "app",
    program: Program::Ourselves,
    template: None,
    args: &[FLAG, "@address@:@port@", "@root@", "@cert@", "@key@", "@extra@"],
    env: &[("TOKIO_WORKER_THREADS", "@workers@")],
};

/// Turns this process into a server if it was started as one, and does not return then. `named` makes the site of a name.
pub(crate) fn become_app(named: impl Fn(&str) -> Result<Site, String>) {
    let words: Vec<String> = std::env::args().collect();
    let [_, flag, address, root, cert, key, kind, think, site @ ..] = &words[..] else { return };
    if flag != FLAG {
        return;
    }
    let run = || -> Result<(), Box<dyn Error>> {
        let think = Duration::from_millis(think.parse()?);
        let files = Files::new(root.into(), think);
        let site = site.first().map_or_else(|| Ok(Site::new(0)), |name| named(name))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(kind, address.parse()?, tls(cert, key)?, files, site))
    };
    if let Err(error) = run() {
        eprintln!("{error}");
    }
    exit(1);
}

async fn serve(
    kind: &str,
    address: SocketAddr,
    tls: rustls::ServerConfig,
    files: Files,
    site: Site,
) -> Result<(), Box<dyn Error>> {
    let mut tls = tls;
    if kind == "oracle" {
        // A client reads a record when it has all of it; small ones are read with the flight that they came in.
        tls.max_fragment_size = Some(4 << 10);
    }
    let listener = TcpListener::bind(address).await?;
    let (tls, site) = (Arc::new(tls), Arc::new(site));
    match kind {
        "headstart" | "headstart-nothing" => {
            // All as it is by default, but that no visit is held out, or every one.
            let headstart = Headstart::builder()
                .holdout(u32::from(kind == "headstart-nothing"))
                .on_page_view(|view| eprintln!("{view}"))
                .build()?;
            Ok(headstart.serve(listener, Some(tls), files).await?)
        }
        "axum" => {
            let app = axum::Router::new().fallback_service(files);
            each(listener, tls, move |stream| {
                let service = TowerToHyperService::new(app.clone());
                async move {
                    let connection = auto::Builder::new(TokioExecutor::new());
                    // What goes wrong on one connection is that client's to notice.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                }
            })
            .await
        }
        "h2" => each(listener, tls, move |stream| bare::serve(stream, files.clone(), Arc::clone(&site))).await,
        "oracle" => each(listener, tls, move |stream| oracle::serve(stream, files.clone(), Arc::clone(&site))).await,
        // Without TLS, behind a proxy.
        "upstream" => loop {
            let (stream, _) = listener.accept().await?;
            let service = TowerToHyperService::new(files.clone());
            tokio::spawn(async move {
                let connection = auto::Builder::new(TokioExecutor::new());
                let _ = connection.serve_connection(TokioIo::new(stream), service).await;
            });
        },
        other => Err(format!("no server `{other}`").into()),
    }
}

/// Serves every connection until the process ends.
async fn each<F>(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    serve: impl Fn(TlsStream<TcpStream>) -> F,
) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that breaks off is no reason to stop.
        if let Ok(stream) = acceptor.accept(stream).await {
            tokio::spawn(serve(stream));
        }
    }
}

fn tls(cert: &str, key: &str) -> Result<rustls::ServerConfig, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    Ok(tls)
}
