//! The peer that is a library: axum and tower-http's `ServeDir`, on hyper and rustls.

use std::convert::Infallible;
use std::error::Error;
use std::process::exit;
use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tower_http::services::ServeDir;

/// The first argument of a process that is to be this peer; four more follow.
pub(super) const FLAG: &str = "--be-axum";

/// Turns this process into a peer if it was started as one, and does not return then.
///
/// Its arguments are an address, a directory, a certificate and its key.
pub fn become_peer() {
    let words: Vec<String> = std::env::args().collect();
    if let [_, flag, address, root, cert, key] = &words[..]
        && flag == FLAG
    {
        let served = tokio::runtime::Runtime::new()
            .map_err(Box::from)
            .and_then(|runtime| runtime.block_on(serve(address, root, cert, key)));
        let Err(error) = served;
        eprintln!("{error}");
        exit(1);
    }
}

async fn serve(address: &str, root: &str, cert: &str, key: &str) -> Result<Infallible, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind(address).await?;
    let app = Router::new().fallback_service(ServeDir::new(root));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            // What goes wrong on one connection is that client's to notice.
            if let Ok(stream) = acceptor.accept(stream).await {
                let service = TowerToHyperService::new(app);
                let connection = auto::Builder::new(TokioExecutor::new());
                let _ = connection.serve_connection(TokioIo::new(stream), service).await;
            }
        });
    }
}
