//! In front of an application: where it may be, what it is told, and what clients are told.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;

use bytes::Bytes;
use http::Request;
use testkit::app::{self, Response};
use testkit::http1;
use tokio::net::TcpStream;

use super::rig::{Files, Program};

fn page(request: &app::Request) -> Response {
    let fields = vec![("content-type".to_owned(), "text/html".to_owned()), ("server".to_owned(), "app/1".to_owned())];
    Response {
        status: 200,
        fields,
        body: format!("{} {:?}\n", request.target, request.field("x-token")).repeat(500).into(),
    }
}

fn start(files: &Files, text: &str) -> (Program, u16) {
    files.write("x.toml", text);
    let program = Program::start(files.program().args(["--config", "x.toml", "--no-state"]));
    let port = port(&program);
    (program, port)
}

/// The port on which it listens; the application's address is printed before.
fn port(program: &Program) -> u16 {
    let line = program.line(0, "point a browser at http://");
    line.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn a_site_says_its_fields_whatever_answers() {
    let files = Files::new();
    let application = app::serve(page);
    let (_program, port) = start(
        &files,
        &format!(
            r#"listen = "http://127.0.0.1:0"
[[site]]
hosts = ["a.example"]
path = "/app"
upstream = "http://{application}"
headers = {{ x-frame-options = "DENY", server = "ours" }}
[[site.header]]
path = "/app/api/**"
name = "access-control-allow-origin"
value = "https://b.example"
[[site.redirect]]
from = "/app/old"
to = "/app/new"
[[site]]
hosts = ["down.example"]
upstream = "http://127.0.0.1:1"
headers = {{ x-frame-options = "DENY" }}
"#
        ),
    );
    let get = |host: &str, path: &str| http1::get(("127.0.0.1", port), host, path, &[]);
    for (host, path, status) in [
        ("a.example", "/app/", 200),
        ("a.example", "/app/old", 308),
        ("a.example", "/app/%2e%2e/x", 400),
        ("a.example", "/elsewhere", 421),
        ("down.example", "/", 502),
    ] {
        let reply = get(host, path);
        assert_eq!(
            (reply.status, reply.field("x-frame-options")),
            (status, Some("deny")),
            "{host}{path}: {}",
            reply.head
        );
    }
    let api = get("a.example", "/app/api/x");
    assert_eq!(
        (api.field("access-control-allow-origin"), api.field("server")),
        (Some("https://b.example"), Some("ours"))
    );
    assert_eq!(get("a.example", "/app/").field("access-control-allow-origin"), None);
    assert_eq!(get("nobody.example", "/").field("x-frame-options"), None, "of no site");
}

#[test]
fn fields_prefix_and_compression_are_settings() {
    let files = Files::new();
    let application = app::serve(page);
    let (_program, port) = start(
        &files,
        &format!(
            r#"listen = "http://127.0.0.1:0"
[[site]]
path = "/shop"
upstream = "http://{application}/v2"
[site.proxy]
strip_prefix = "/shop"
request_headers = {{ x-token = "secret" }}
remove_response_headers = ["server"]
[[site]]
path = "/plain"
upstream = "http://{application}"
[site.proxy]
compress = false
"#
        ),
    );
    let get = |path: &str, fields: &[(&str, &str)]| http1::get(("127.0.0.1", port), "a.example", path, fields);
    let reply = get("/shop/cart", &[]);
    assert!(reply.text().starts_with("/v2/cart Some(\"secret\")"), "{}", reply.text());
    assert_eq!((reply.field("server"), reply.field("vary")), (None, Some("accept-encoding")));
    let coded = get("/shop/cart", &[("accept-encoding", "gzip")]);
    assert_eq!(coded.field("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&coded.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, reply.text());
    assert_eq!(get("/plain", &[("accept-encoding", "gzip")]).field("content-encoding"), None);
}

#[test]
fn an_application_at_a_socket_answers() {
    let files = Files::new();
    let path = files.path("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let url = format!("unix:{}", path.display());
    let listen = "http://127.0.0.1:0";
    let program = Program::start(files.program().args(["proxy", &url, "--listen", listen, "--no-state"]));
    program.line(0, &format!("in front of {url}"));
    let reply = http1::get(("127.0.0.1", port(&program)), "a.example", "/", &[]);
    assert_eq!((reply.status, reply.text()), (200, "ok".into()));
}

#[tokio::test]
async fn a_websocket_over_http2_reaches_the_application() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        while let Ok(message) = socket.read() {
            if socket.send(message).is_err() {
                return;
            }
        }
    });
    let files = Files::new();
    let text = format!("listen = \"http://127.0.0.1:0\"\n[[site]]\nupstream = \"http://127.0.0.1:{port}\"\n");
    let (_program, port) = start(&files, &text);
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (requests, connection) = h2::client::Builder::new().handshake::<_, Bytes>(socket).await.unwrap();
    tokio::spawn(connection);
    let mut requests = requests.ready().await.unwrap();
    for _ in 0..100 {
        if requests.is_extended_connect_protocol_enabled() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(requests.is_extended_connect_protocol_enabled(), "the program offers it (RFC 8441, section 3)");
    let request = Request::builder()
        .method("CONNECT")
        .uri("http://a.example/chat?room=1")
        .header("sec-websocket-version", "13")
        .extension(h2::ext::Protocol::from_static("websocket"))
        .body(())
        .unwrap();
    let (response, mut send) = requests.send_request(request, false).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200);
    // A text frame that is masked with zeros: "hello".
    let frame = [&[0x81, 0x85, 0, 0, 0, 0][..], b"hello"].concat();
    send.send_data(frame.into(), false).unwrap();
    let mut body = response.into_body();
    let mut back = Vec::new();
    while back.len() < 7 {
        let data = body.data().await.expect("the echo").unwrap();
        let _ = body.flow_control().release_capacity(data.len());
        back.extend_from_slice(&data);
    }
    assert_eq!(back, [&[0x81, 0x05][..], b"hello"].concat());
}

/// The status of what is answered to a request head, as it is.
fn status_of(port: u16, head: &str) -> u16 {
    let mut socket = http1::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    let (answer, _) = http1::read_to_end(&mut socket);
    http1::Reply::parse(&answer).unwrap_or_else(|| panic!("{head:?}: {:?}", String::from_utf8_lossy(&answer))).status
}

/// RFC 9110, section 9.3.7; RFC 9112, section 3.2: the same before applications and files.
#[test]
fn a_request_names_its_host_once_and_may_ask_about_the_server() {
    let files = Files::new();
    files.write("site/index.html", "<p>hello");
    let application = app::serve(page);
    for site in ["root = \"site\"".to_owned(), format!("upstream = \"http://{application}\"")] {
        let (_program, port) = start(&files, &format!("listen = \"http://127.0.0.1:0\"\n[[site]]\n{site}\n"));
        let closing = |first: &str, hosts: &str| format!("{first} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        for hosts in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n", "host: u@a\r\n", "host:\r\n"] {
            assert_eq!(status_of(port, &closing("GET /", hosts)), 400, "{site}: {hosts:?}");
        }
        assert_eq!(status_of(port, &closing("GET /", "host: a\r\n")), 200, "{site}");
        assert_eq!(status_of(port, "GET / HTTP/1.0\r\n\r\n"), 200, "{site}: HTTP/1.0 knows no hosts");
        let status = status_of(port, &closing("OPTIONS *", "host: a\r\n"));
        assert!(matches!(status, 200 | 204 | 405), "{site}: {status}");
    }
}
