//! Listeners, make-services, and what a service learns of its connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use headstart::policy::Peer;
use headstart::{Connection, Headstart, Listener, TlsInfo};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::kit::{Client, Pushes};

fn headstart() -> Headstart {
    Headstart::builder().min_networks(1).holdout(0).build().unwrap()
}

/// Answers with what it knows of the connection.
fn who() -> Router {
    Router::new().fallback(|request: Request| async move {
        let connection = request.extensions().get::<Connection>().unwrap();
        let Peer(peer) = *request.extensions().get().unwrap();
        assert_eq!(peer, connection.remote());
        let tls = connection.tls().cloned().unwrap_or_default();
        let alpn = String::from_utf8(tls.alpn.as_deref().unwrap_or_default().to_vec()).unwrap();
        let local = connection.local().map(|local| local.port()).unwrap_or_default();
        let name = connection.server_name().unwrap_or("-").to_owned();
        format!("{} {local} {name} {alpn} {}", peer.ip(), tls.client_certificates.len())
    })
}

async fn http1<T: AsyncRead + AsyncWrite + Unpin>(mut io: T, before: &str) -> String {
    let request = format!("{before}GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = io.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    answer.rsplit("\r\n\r\n").next().unwrap().to_owned()
}

#[tokio::test]
async fn over_http1_a_head_that_is_too_large_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart().serve(listener, None, who()).into_future());
    for (bytes, status) in [(40 << 10, "200"), (100 << 10, "431")] {
        let mut io = TcpStream::connect(address).await.unwrap();
        let field = "a".repeat(bytes);
        let request = format!("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nX-Long: {field}\r\n\r\n");
        // The server may be done before all of it is written.
        let _ = io.write_all(request.as_bytes()).await;
        let mut answer = [0; 12];
        io.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer[9..], status.as_bytes(), "{bytes} bytes");
    }
}

struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Authority { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    fn identity(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        Arc::new(roots)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server that asks for certificates, and a client that has one.
fn mutual_tls(protocols: &[&[u8]]) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let authority = Authority::new();
    let (chain, key) = authority.identity("a.example");
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(authority.roots(), provider());
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let (chain, key) = authority.identity("client.example");
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_client_auth_cert(chain, key)
        .unwrap();
    client.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    (Arc::new(server), Arc::new(client))
}

async fn connect_tls(address: SocketAddr, config: Arc<ClientConfig>) -> tokio_rustls::client::TlsStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "a.example".try_into().unwrap();
    tokio_rustls::TlsConnector::from(config).connect(name, socket).await.unwrap()
}

#[tokio::test]
async fn a_service_learns_what_tls_knows() {
    for (protocols, expected) in [(&[b"h2".as_slice()][..], "h2"), (&[b"http/1.1"], "http/1.1")] {
        let (server, client) = mutual_tls(protocols);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(headstart().serve(listener, server, who()).into_future());
        let io = connect_tls(address, client).await;
        let answer = if expected == "h2" {
            String::from_utf8(Client::over(io, address, Pushes::Refused).await.get("/").await.body.to_vec()).unwrap()
        } else {
            http1(io, "").await
        };
        assert_eq!(answer, format!("127.0.0.1 {} a.example {expected} 1", address.port()));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn unix_sockets_take_both_protocols_and_proxy_headers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(headstart().serve(listener, None, who()).into_future());
    let connect = async || tokio::net::UnixStream::connect(&path).await.unwrap();
    assert_eq!(http1(connect().await, "").await, "127.0.0.1 0 -  0");
    let mut client = Client::over(connect().await, ([127, 0, 0, 1], 80).into(), Pushes::Refused).await;
    assert_eq!(&client.get("/").await.body[..], b"127.0.0.1 0 -  0");

    let path = directory.path().join("behind a balancer");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let balancers = ["127.0.0.0/8".parse().unwrap()];
    tokio::spawn(headstart().serve(listener, None, who()).proxy_protocol(balancers).into_future());
    let io = tokio::net::UnixStream::connect(&path).await.unwrap();
    assert_eq!(http1(io, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n").await, "192.0.2.7 0 -  0");
}

/// Connections in memory.
struct InMemory(mpsc::Receiver<(DuplexStream, Connection)>);

impl Listener for InMemory {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Connection)> {
        match self.0.recv().await {
            Some(connection) => Ok(connection),
            None => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn a_listener_that_does_tls_itself_says_what_was_agreed_on() {
    let (send, receive) = mpsc::channel(1);
    tokio::spawn(headstart().serve(InMemory(receive), None, who()).into_future());
    let remote: SocketAddr = "192.0.2.7:1".parse().unwrap();
    let connect = async |alpn: Option<&str>| {
        let (near, far) = tokio::io::duplex(1 << 16);
        let mut tls = TlsInfo::default();
        tls.alpn = alpn.map(|alpn| alpn.as_bytes().into());
        tls.server_name = Some("b.example".into());
        send.send((far, Connection::new(remote).with_tls(tls))).await.unwrap();
        near
    };
    assert_eq!(http1(connect(Some("http/1.1")).await, "").await, "192.0.2.7 0 b.example http/1.1 0");
    let mut client = Client::over(connect(Some("h2")).await, remote, Pushes::Refused).await;
    assert_eq!(&client.get("/").await.body[..], b"192.0.2.7 0 b.example h2 0");
    let mut client = Client::over(connect(None).await, remote, Pushes::Refused).await;
    assert_eq!(&client.get("/").await.body[..], b"192.0.2.7 0 b.example  0", "the preface decides");
}

#[tokio::test]
async fn a_make_service_makes_the_service_of_each_connection() {
    let app = Router::new().fallback(|ConnectInfo(client): ConnectInfo<SocketAddr>| async move { client.to_string() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let make = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(headstart().serve_make_service(listener, None, make).into_future());
    for _ in 0..2 {
        let socket = TcpStream::connect(address).await.unwrap();
        let own = socket.local_addr().unwrap();
        assert_eq!(http1(socket, "").await, own.to_string());
    }
    let mut client = Client::connect_to(address, Pushes::Refused).await;
    assert!(client.get("/").await.body.starts_with(b"127.0.0.1:"));
}

/// Runs with the feature `axum`, which other packages of the workspace turn on.
#[cfg(feature = "axum")]
#[tokio::test]
async fn connect_info_is_there_without_a_make_service() {
    let app = Router::new().fallback(|ConnectInfo(client): ConnectInfo<SocketAddr>| async move { client.to_string() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart().serve(listener, None, app).into_future());
    let socket = TcpStream::connect(address).await.unwrap();
    let own = socket.local_addr().unwrap();
    assert_eq!(http1(socket, "").await, own.to_string());
}

#[tokio::test]
async fn a_tls_configuration_without_h2_is_warned_of() {
    let warnings = crate::warnings::Warnings::start();
    let (server, _) = mutual_tls(&[]);
    let mut server = ServerConfig::clone(&server);
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = headstart().serve(listener, Arc::new(server), who()).with_graceful_shutdown(async {});
    serving.await.unwrap();
    assert_eq!(warnings.said("alpn_protocols").len(), 1);
}

#[tokio::test]
async fn two_hundred_clients_of_one_address_are_all_served() {
    let headstart = headstart();
    let app = Router::new().fallback(|| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        "page"
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(headstart.serve(listener, None, app).into_future());
    let clients: Vec<_> = (0..200)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::connect_to(address, Pushes::Refused).await;
                for _ in 0..3 {
                    assert_eq!(&client.get("/").await.body[..], b"page");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let stats = headstart.stats();
    assert_eq!((stats.connections, stats.connections_refused, stats.connections_released), (200, 0, 0));
}
