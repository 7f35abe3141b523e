//! Runs each example and looks at what it does.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Cargo puts examples beside the folder of the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let program: PathBuf = folder.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: run all tests of the package", program.display());
    Command::new(program)
}

/// A server that ends with the test.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    authority: String,
}

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        Running::start_with(name, arguments, Stdio::null())
    }

    fn start_with(name: &str, arguments: &[&str], stdin: Stdio) -> Self {
        let mut child = example(name).args(arguments).stdin(stdin).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap();
        let authority = url.split('/').nth(2).unwrap().to_owned();
        Running { child, lines, authority }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Asks for each path in turn on one connection; what was pushed with each.
async fn ask<T>(io: T, origin: &str, paths: &[&str]) -> Vec<Vec<String>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut send, connection) = h2::client::handshake(io).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    let mut all = Vec::new();
    for path in paths {
        let request = http::Request::get(format!("{origin}{path}")).body(()).unwrap();
        let (mut response, _) = send.send_request(request, true).unwrap();
        let mut promises = response.push_promises();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        read(response.into_body()).await;
        let mut pushed = Vec::new();
        while let Some(promise) = promises.push_promise().await {
            let (request, response) = promise.unwrap().into_parts();
            pushed.push(request.uri().path().to_owned());
            read(response.await.unwrap().into_body()).await;
        }
        all.push(pushed);
    }
    all
}

async fn read(mut body: h2::RecvStream) -> Bytes {
    let mut all = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        body.flow_control().release_capacity(part.len()).unwrap();
        all.extend_from_slice(&part);
    }
    all.into()
}

#[test]
fn codec_only() {
    let output = example("codec_only").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("cookie: "), "{text}");
    for line in ["/app.css: held", "/new.css: absent", "4 names after one more: "] {
        assert!(text.contains(line), "{text}");
    }
    let broken = text.lines().last().unwrap();
    assert!(broken.starts_with("a broken cookie: ") && broken.len() > 20, "{broken}");
}

#[tokio::test]
async fn static_server() {
    let mut server = Running::start("static_server", &[concat!(env!("CARGO_MANIFEST_DIR"), "/site"), "127.0.0.1:0"]);
    let origin = format!("http://{}", server.authority);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/site/index.html")).unwrap();
    let css = page.split('"').find(|part| part.contains(".css")).unwrap();
    let css = format!("/{}", css.trim_start_matches('/'));
    for visit in 1..=3 {
        let socket = TcpStream::connect(&server.authority).await.unwrap();
        let pushed = ask(socket, &origin, &["/", &css]).await;
        let line = server.lines.next().unwrap().unwrap();
        if visit < 2 {
            assert!(pushed[0].is_empty() && line.contains("nothing known"), "visit {visit}: {line}");
        } else {
            assert_eq!(pushed[0], [css.as_str()]);
            assert!(line.contains("pushed 1 "), "{line}");
        }
    }
}

#[tokio::test]
async fn axum_app() {
    let server = Running::start("axum_app", &["127.0.0.1:0"]);
    let origin = format!("https://{}", server.authority);
    let connect = async || {
        let socket = TcpStream::connect(&server.authority).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(trusting()).connect(name, socket).await.unwrap()
    };
    let pushed = ask(connect().await, &origin, &["/named", "/named"]).await;
    assert_eq!(pushed, [vec!["/app.css".to_owned()], vec![]], "named by the application, and sent once");
    for visit in 1..=3 {
        let pushed = ask(connect().await, &origin, &["/", "/app.css", "/app.js"]).await;
        let expected: &[&str] = if visit < 2 { &[] } else { &["/app.css", "/app.js"] };
        assert_eq!(pushed[0], expected, "visit {visit}");
    }
}

/// Asks over HTTP/1.1, as a browser would; the response.
async fn ask_http1(authority: &str, path: &str, referer: bool) -> String {
    let referer = if referer { format!("Referer: http://{authority}/\r\n") } else { String::new() };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{referer}Connection: close\r\n\r\n");
    let mut socket = TcpStream::connect(authority).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn axum_layer() {
    let server = Running::start("axum_layer", &["127.0.0.1:0"]);
    let mut linked = Vec::new();
    for _ in 1..=3 {
        let page = ask_http1(&server.authority, "/", false).await;
        linked.push(page.contains("link: </app.css>; rel=preload; as=style"));
        ask_http1(&server.authority, "/app.css", true).await;
    }
    assert_eq!((linked[0], linked[2]), (false, true), "learned from two visits");
}

#[tokio::test]
async fn state_on_disk() {
    let file = std::env::temp_dir().join(format!("headstart-example-{}", std::process::id()));
    let mut server = Running::start_with("state_on_disk", &[file.to_str().unwrap(), "127.0.0.1:0"], Stdio::piped());
    assert!(ask_http1(&server.authority, "/", false).await.ends_with("<h1>Hello</h1>"));
    drop(server.child.stdin.take());
    assert_eq!(server.lines.next().unwrap().unwrap(), "saved");
    assert!(std::fs::read(&file).unwrap().starts_with(b"headstart"));
    std::fs::remove_file(file).unwrap();
}

/// TLS that believes any certificate, for the example's own.
fn trusting() -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting(provider)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[derive(Debug)]
struct Trusting(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
