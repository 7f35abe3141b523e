//! Serves one page with Headstart, and asks for it.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::sync::Arc;

use headstart::{Body, Headstart};
use http::{Request, Response};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn page(_: Request<Body>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("page".to_owned()))
}

/// Serves over TLS with the provider of the process, as an application does that names none.
pub async fn over_tls() -> Result<(), Error> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let server =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)?;
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone())?;
    let mut client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = Headstart::builder().build()?.serve(listener, Arc::new(server), tower::service_fn(page));
    tokio::spawn(serving.into_future());
    let socket = TcpStream::connect(address).await?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    ask(connector.connect("localhost".try_into()?, socket).await?).await
}

/// Serves in cleartext.
pub async fn in_cleartext() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = Headstart::builder().build()?.serve(listener, None, tower::service_fn(page));
    tokio::spawn(serving.into_future());
    ask(TcpStream::connect(address).await?).await
}

async fn ask<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(io: T) -> Result<(), Error> {
    let (send, connection) = h2::client::handshake(io).await?;
    tokio::spawn(connection);
    let request = Request::get("https://localhost/").body(())?;
    let (response, _) = send.ready().await?.send_request(request, true)?;
    let mut body = response.await?.into_body();
    let page = body.data().await.ok_or("no page")??;
    if &page[..] == b"page" { Ok(()) } else { Err("another page".into()) }
}
