//! Certificates from files, read again on SIGHUP, as a deploy hook of certbot sends it: connections that are open stay, new ones
//! get the new certificate. A file that cannot be used is said, and the certificate before it stays.
//!
//! `cargo run --package headstart-examples --example real_certificates CERTIFICATE.pem KEY.pem [ADDRESS]`

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use headstart::Headstart;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [certificate, key, rest @ ..] = &arguments[..] else { return Err("name a certificate and its key".into()) };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let current = Arc::new(Current(RwLock::new(read(certificate, key, &provider)?)));
    let tls = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Current>::clone(&current));

    let listener = tokio::net::TcpListener::bind(rest.first().map_or("127.0.0.1:8443", String::as_str)).await?;
    let mut hang_up = signal(SignalKind::hangup())?;
    println!("https://{}/", listener.local_addr()?);
    let app = Router::new().route("/", get(async || Html("<h1>Hello</h1>")));
    let headstart = Headstart::builder().build()?;
    let mut server = headstart.serve(listener, Arc::new(tls), app).into_future();
    loop {
        tokio::select! {
            ended = &mut server => return Ok(ended?),
            _ = hang_up.recv() => match read(certificate, key, &provider) {
                Ok(new) => {
                    *current.0.write().unwrap_or_else(PoisonError::into_inner) = new;
                    println!("reloaded {certificate}");
                }
                Err(error) => println!("{certificate} is not used: {error}"),
            },
        }
    }
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Reads a chain and its key, and sees to it that they belong together.
fn read(certificate: &str, key: &str, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(Arc::new(CertifiedKey::from_der(chain, PrivateKeyDer::from_pem_file(key)?, provider)?))
}
