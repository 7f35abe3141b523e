//! Starts examples, and visits them as clients do.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::ClientConfig;
use testkit::Program;
use testkit::http2::{Client, Reply};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// An example. Cargo puts them beside the folder of the tests.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let program: PathBuf = folder.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: run all tests of the package", program.display());
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Runs an example beside the test.
pub(crate) fn start(name: &str, arguments: &[&str]) -> Program {
    Program::start(example(name).args(arguments))
}

/// A client over a connection; it takes pushes.
pub(crate) async fn client<T>(io: T, origin: &str) -> Client
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Client::handshake(io, origin, &h2::client::Builder::new()).await.unwrap()
}

/// A client in cleartext.
pub(crate) async fn client_of(port: u16) -> Client {
    client(TcpStream::connect(("127.0.0.1", port)).await.unwrap(), &format!("http://127.0.0.1:{port}")).await
}

/// Loads a page and its assets on a connection of its own; the page.
pub(crate) async fn visit(port: u16, page: &str, assets: &[&str]) -> Reply {
    load(client_of(port).await, page, assets).await
}

/// Loads a page and its assets; the page.
pub(crate) async fn load(mut client: Client, page: &str, assets: &[&str]) -> Reply {
    let reply = client.get(page).await;
    assert_eq!(reply.status, 200, "{page}");
    for asset in assets {
        assert_eq!(client.get(asset).await.status, 200, "{asset}");
    }
    reply
}

/// The path of the stylesheet that a page names.
pub(crate) fn stylesheet(page: &str) -> &str {
    page.split('"').find(|part| part.starts_with('/') && part.contains(".css")).unwrap()
}

/// A TLS connection that speaks HTTP/2.
pub(crate) async fn connect_tls(
    port: u16,
    config: &Arc<ClientConfig>,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    testkit::tls::connect(config, "localhost", socket).await
}
