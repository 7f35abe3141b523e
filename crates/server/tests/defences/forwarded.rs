//! What clients say of themselves and of others, on its way to an application.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{app, http2};

use super::rig::{Server, answer, told};

/// What applications take for the word of a proxy.
const BELIEVED: [&str; 20] = [
    "proxy",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "true-client-ip",
    "fastly-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
    "x-forwarded",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "forwarded",
];
const EVIL: &str = "evil.invalid";

fn echo() -> SocketAddr {
    app::serve(|request| answer(&[("content-type", "text/plain")], told(request)))
}

#[test]
fn what_applications_believe_comes_from_no_client_and_no_balancer_that_was_not_asked() {
    let application = format!("http://{}", echo());
    let fields: Vec<(&str, &str)> = BELIEVED.iter().map(|name| (*name, EVIL)).chain([("x-plain", "kept")]).collect();
    for general in ["", "[limits]\ntrusted_proxies = [\"127.0.0.0/8\"]"] {
        let server = Server::before(&application, general, "");
        let text = server.get("/", &fields).text();
        let passed: Vec<&str> = text.lines().filter(|line| line.contains(EVIL)).collect();
        assert!(passed.is_empty(), "{general}: {passed:?}");
        assert!(text.contains("x-plain: kept"), "{text}");
    }
    let trusting = Server::before(&application, "", "trust = [\"x-original-url\"]");
    let text = trusting.get("/", &fields).text();
    assert!(text.contains(&format!("x-original-url: {EVIL}")) && text.matches(EVIL).count() == 1, "{text}");
}

#[test]
fn the_client_is_whom_the_balancer_names_and_its_own_word_is_not_beside() {
    let server = Server::before(&format!("http://{}", echo()), "[limits]\ntrusted_proxies = [\"127.0.0.0/8\"]", "");
    let fields =
        [("x-forwarded-for", "198.51.100.66, 192.0.2.7"), ("forwarded", "for=198.51.100.66;host=evil.invalid")];
    let text = server.get("/", &fields).text();
    let named = text.lines().find_map(|line| line.strip_prefix("x-forwarded-for: ")).expect("it is told");
    // A list grows at its end: what stands before the client is what the client said.
    assert!(named.ends_with("192.0.2.7, 127.0.0.1"), "{named}");
    assert!(!text.contains(EVIL), "{text}");
}

#[tokio::test]
async fn the_scheme_is_that_of_the_socket() {
    let server = Server::before(&format!("http://{}", echo()), "", "");
    let absolute = server.raw(b"GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.expect("it listens");
    let settings = h2::client::Builder::new();
    let mut client = http2::Client::handshake(socket, "https://a.example", &settings).await.expect("a handshake");
    for text in [absolute, client.get("/").await.text()] {
        assert!(text.contains("x-forwarded-proto: http\n"), "{text}");
    }
}

/// An application that keeps what it log as it is, and answers each head.
fn listener() -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let heard = Arc::<Mutex<Vec<u8>>>::default();
    let log = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = socket.read(&mut bytes) {
                    log.lock().expect("no panic under the lock").extend_from_slice(&bytes[..count]);
                }
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            });
        }
    });
    (address, heard)
}

fn text(heard: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&heard.lock().expect("no panic under the lock")).to_lowercase()
}

#[test]
fn trailers_name_no_client() {
    let (application, heard) = listener();
    let server = Server::before(&format!("http://{application}"), "", "");
    let answer = server.raw(
        b"POST /upload HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\
        Trailer: X-Forwarded-For, X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Forwarded-For: 198.51.100.66\r\n\
        X-Original-URL: /198.51.100.66\r\nX-Sum: 1\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let heard = text(&heard);
    assert!(heard.contains("hello") && !heard.contains("198.51.100.66"), "{heard}");
}

#[test]
fn two_lengths_are_refused_whatever_was_asked_before() {
    let (application, heard) = listener();
    let server = Server::before(&format!("http://{application}"), "", "");
    let both = "POST /both HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n";
    for before in [
        "",
        "GET /a HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n",
        "COPY /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "CHECKOUT /a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ] {
        heard.lock().expect("no panic under the lock").clear();
        let answer = server.raw(format!("{before}{both}").as_bytes());
        let last = answer.rsplit("HTTP/1.1 ").next().unwrap_or_default();
        assert!(last.starts_with("400 "), "{before:?}: {answer}");
        assert!(!text(&heard).contains("/both") && !text(&heard).contains("/smuggled"), "{before:?}: {}", text(&heard));
    }
    let answer = server.raw(format!("C{both}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "a method that begins with C: {answer}");
}
