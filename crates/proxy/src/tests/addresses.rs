//! Upstreams at a Unix socket, below a path, without a prefix, and the fields that they are told.

use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::kit::{Act, Front, PATIENCE, Upstream, answer};
use crate::Config;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n")
}

fn config(server: &str) -> Config {
    Config::new(vec![server.parse().unwrap()])
}

#[tokio::test]
async fn an_application_at_a_socket_gets_requests_uploads_and_websockets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let upstream = Upstream::start_at(&path, |path| match path {
        "/base/ws" => {
            Act::Echo(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n".to_vec())
        }
        _ => Act::Say(answer("200 OK", "", "ok")),
    });
    let front = Front::start(config(&format!("unix:{}:/base", path.display()))).await;
    for version in [1, 2] {
        assert_eq!(front.get(version, "/x?y").await, (200, Some("ok".into())));
    }
    let upload = Request::post("/up").header("host", "a.example").body(Full::from("content")).unwrap();
    assert_eq!(front.http2(upload).await.0, 200);
    let heads = upstream.heads();
    assert!(
        heads[0].starts_with("GET /base/x?y HTTP/1.1\r\n") && heads[0].contains("host: a.example\r\n"),
        "{heads:?}"
    );
    assert!(heads[2].starts_with("POST /base/up ") && heads[2].ends_with("content"), "{heads:?}");
    let mut socket = TcpStream::connect(front.address).await.unwrap();
    let asks = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nback";
    socket.write_all(asks).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"back") {
        said.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
    }
    assert!(said.starts_with(b"HTTP/1.1 101 "));
    assert_eq!(front.proxy.stats().servers[0].address, format!("unix:{}:/base", path.display()));
}

#[tokio::test]
async fn without_its_socket_an_application_is_away() {
    let front = Front::start(config("unix:/nowhere/app.sock")).await;
    assert_eq!(front.get(1, "/").await.0, 502);
}

#[tokio::test]
async fn a_prefix_goes_and_what_the_application_says_of_paths_comes_back() {
    let upstream = Upstream::start(|_| {
        let fields = "Location: /v2/login\r\nSet-Cookie: a=1; Path=/v2\r\nSet-Cookie: b=1; Path=/\r\n\
                      Link: </v2/a.css>; rel=preload; as=style\r\n";
        Act::Say(answer("302 Found", fields, ""))
    });
    let upstream = upstream.await;
    let mut config = config(&format!("http://{}/v2", upstream.address));
    config.strip_prefix = "/shop".into();
    let front = Front::start(config).await;
    let said = front.raw(get("/shop/cart?x=1").as_bytes()).await;
    for field in
        ["location: /shop/login\r\n", "set-cookie: a=1; Path=/shop\r\n", "set-cookie: b=1; Path=/\r\n", "</shop/a.css>"]
    {
        assert!(said.contains(field), "{field} in {said}");
    }
    let heads = upstream.heads();
    assert!(
        heads[0].starts_with("GET /v2/cart?x=1 ") && heads[0].contains("x-forwarded-prefix: /shop\r\n"),
        "{heads:?}"
    );
    assert!(front.raw(get("/shopping").as_bytes()).await.starts_with("HTTP/1.1 404 "));
    assert_eq!(upstream.heads().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_the_server_itself_is_one_that_clients_can_follow() {
    let own = std::sync::Arc::new(std::sync::OnceLock::new());
    let name = std::sync::Arc::clone(&own);
    let upstream = Upstream::start(move |_| {
        Act::Say(answer("302 Found", &format!("Location: http://{}/login\r\n", name.get().unwrap()), ""))
    });
    let upstream = upstream.await;
    own.set(upstream.address).unwrap();
    let front = Front::before(&upstream, |_| {}).await;
    assert!(front.raw(get("/").as_bytes()).await.contains("location: /login\r\n"));
}

#[tokio::test]
async fn fields_are_added_and_removed() {
    let upstream =
        Upstream::start(|_| Act::Say(answer("200 OK", "Server: app/1.2\r\nX-Powered-By: app\r\nX-Kept: 1\r\n", "ok")))
            .await;
    let front = Front::before(&upstream, |config| {
        config.fields.set = vec![("x-token".parse().unwrap(), "secret".parse().unwrap())];
        config.fields.remove = vec!["accept-encoding".parse().unwrap()];
        config.fields.remove_from_responses = vec!["server".parse().unwrap(), "x-powered-by".parse().unwrap()];
    })
    .await;
    let asks = "GET / HTTP/1.1\r\nHost: a\r\nX-Token: forged\r\nAccept-Encoding: br\r\n\r\n";
    let said = front.raw(asks.as_bytes()).await;
    assert!(said.contains("x-kept: 1\r\n") && !said.contains("app"), "{said}");
    let heads = upstream.heads();
    assert!(heads[0].contains("x-token: secret\r\n") && !heads[0].contains("forged"), "{heads:?}");
    assert!(!heads[0].contains("accept-encoding"), "{heads:?}");
}

#[tokio::test]
async fn trace_context_is_passed_on() {
    let upstream = Upstream::start(|_| Act::Say(answer("200 OK", "", "ok"))).await;
    let front = Front::before(&upstream, |_| {}).await;
    let context = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "congo=t61rcWkgMzE"),
        ("baggage", "user=1"),
    ];
    let request = || {
        let mut request = Request::get("/").header("host", "a.example");
        for (name, value) in context {
            request = request.header(name, value);
        }
        request.body(Full::default()).unwrap()
    };
    front.http1(request()).await;
    front.http2(request()).await;
    let heads = upstream.heads();
    assert_eq!(heads.len(), 2);
    for head in heads {
        for (name, value) in context {
            assert!(head.contains(&format!("{name}: {value}\r\n")), "{name} in {head:?}");
        }
    }
}
