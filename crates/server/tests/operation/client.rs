//! A client over HTTP/2 that does what it is told, and says what became of it.

use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use rustls::ClientConfig;
use testkit::{http2, tls};
use tokio::net::TcpStream;

/// A client that trusts some certificates.
#[derive(Clone)]
pub(crate) struct Client(Arc<ClientConfig>);

/// One connection.
pub(crate) struct Connection {
    pub(crate) requests: SendRequest<Bytes>,
    /// The certificate that the server showed.
    pub(crate) certificate: Vec<u8>,
    pub(crate) resumed: bool,
}

impl Client {
    pub(crate) fn new(trusted: &[&[u8]]) -> Self {
        Self(tls::client(trusted, &["h2"]))
    }

    /// Connects to a local port, asking for a name.
    pub(crate) async fn connect(&self, port: u16, name: &str) -> Result<Connection, Box<dyn std::error::Error>> {
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        let stream = tls::connect(&self.0, name, socket).await?;
        let session = stream.get_ref().1;
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).expect("a certificate").to_vec();
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        let (requests, connection) = h2::client::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(Connection { requests, certificate, resumed })
    }

    /// One request on a connection of its own.
    pub(crate) async fn get(&self, port: u16, name: &str, path: &str) -> (StatusCode, String) {
        let connection = self.connect(port, name).await.unwrap_or_else(|error| panic!("{name}:{port}: {error}"));
        connection.get(&format!("{name}:{port}"), path).await.expect("a response")
    }
}

impl Connection {
    /// A request, and its response whole.
    pub(crate) async fn get(&self, authority: &str, path: &str) -> Result<(StatusCode, String), h2::Error> {
        self.send(Request::get(format!("https://{authority}{path}")).body(()).expect("a request")).await
    }

    /// The same with a request of one's own.
    pub(crate) async fn send(&self, request: Request<()>) -> Result<(StatusCode, String), h2::Error> {
        let mut requests = self.requests.clone().ready().await?;
        let (response, _) = requests.send_request(request, true)?;
        let response = response.await?;
        let status = response.status();
        let body = http2::read(&mut response.into_body()).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
