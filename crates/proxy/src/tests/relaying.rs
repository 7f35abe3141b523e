//! Tests of what is relayed, and how it is changed on the way.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::kit::{Act, Front, PATIENCE, Upstream, answer, ok};
use crate::error::Fault;
use crate::{Caching, Config, HostField};

#[tokio::test]
async fn a_request_is_written_anew() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |config| config.forwarding.via = true).await;
    let answer = front
        .raw(
            b"GET /a%2Fb?x=%20y HTTP/1.1\r\nHost: a.example:81\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nTE: trailers, gzip\r\n\
              X-Forwarded-For: 1.1.1.1\r\nForwarded: for=2.2.2.2\r\nX_Forwarded_For: 3.3.3.3\r\nCookie: a=1\r\n\
              Keep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-Kept: 1\r\n\r\n",
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("via: 1.1 headstart\r\n"), "{answer}");
    let heads = upstream.heads();
    let mut lines: Vec<_> = heads[0].split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.remove(0), "GET /a%2Fb?x=%20y HTTP/1.1");
    lines.sort_unstable();
    let expected = [
        "cookie: a=1",
        "forwarded: for=127.0.0.1;host=\"a.example:81\";proto=http",
        "host: a.example:81",
        "te: trailers",
        "via: 1.1 headstart",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: a.example:81",
        "x-forwarded-proto: http",
        "x-kept: 1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_response_keeps_its_fields_and_loses_its_connection() {
    let fields = "Connection: X-Internal\r\nX-Internal: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1; Path=/x\r\n\
                  Set-Cookie: b=2\r\nLocation: http://inside/x\r\nUpgrade: h2c\r\n";
    let upstream = Upstream::start(move |_| Act::Say(answer("302 Found", fields, "go"))).await;
    let front = Front::before(&upstream, |_| ()).await;
    let answer = front.raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.to_ascii_lowercase();
    for kept in ["http/1.1 302 found", "set-cookie: a=1; path=/x", "set-cookie: b=2", "location: http://inside/x"] {
        assert!(answer.contains(kept), "{kept} in {answer}");
    }
    for gone in ["x-internal", "keep-alive", "upgrade"] {
        assert!(!answer.contains(gone), "{gone} in {answer}");
    }
}

#[tokio::test]
async fn the_host_is_the_clients_the_servers_or_a_given_one() {
    let upstream = Upstream::start(|_| ok()).await;
    for (host, expected) in [
        (HostField::Preserve, "a.example".to_owned()),
        (HostField::Server, upstream.address.to_string()),
        (HostField::Named("b.example".parse().unwrap()), "b.example".to_owned()),
    ] {
        let front = Front::before(&upstream, |config| config.host = host).await;
        for version in [1, 2] {
            upstream.forget();
            assert_eq!(front.get(version, "/").await.0, 200);
            assert!(upstream.heads()[0].contains(&format!("host: {expected}\r\n")), "{:?}", upstream.heads());
        }
    }
}

#[tokio::test]
async fn connections_are_kept_and_a_closed_one_costs_nobody_a_request() {
    let upstream =
        Upstream::start(|path| if path == "/last" { Act::SayAndClose(answer("200 OK", "", "ok")) } else { ok() }).await;
    let front = Front::before(&upstream, |_| ()).await;
    for _ in 0..5 {
        assert_eq!(front.get(2, "/").await.0, 200);
    }
    assert_eq!(front.proxy.stats().connections, 1);
    for round in 0..5 {
        assert_eq!(front.get(1, "/last").await.0, 200);
        // Closed without a word, just after it was used: even a request with content is not lost.
        let post = Request::post("/").header("host", "a").body(Full::new(Bytes::from_static(b"x"))).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(front.http1(post).await.0, 200, "round {round}");
    }
}

#[tokio::test]
async fn uploads_go_through_within_their_limit() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |config| config.limits.max_upload = Some(100_000)).await;
    let body = "0123456789".repeat(10_000);
    let post = |body: String| Request::post("/").header("host", "a").body(Full::from(body)).unwrap();
    assert_eq!(front.http1(post(body.clone())).await.0, 200);
    assert_eq!(front.http2(post(body.clone())).await.0, 200);
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x};x=y\r\n{body}\r\n0\r\nX: y\r\n\r\n",
        body.len()
    );
    assert!(front.raw(chunked.as_bytes()).await.starts_with("HTTP/1.1 200 "));
    for head in upstream.heads() {
        assert!(!head.starts_with("BAD") && head.contains(&body), "{}", &head[..200.min(head.len())]);
    }
    assert_eq!(front.proxy.stats().bytes_up, 300_000);
    assert_eq!(front.http1(post(format!("{body}x"))).await.0, 413);
    assert_eq!(front.http2(post(format!("{body}x"))).await.0, 413);
    assert_eq!(front.faults(Fault::UploadTooLarge), 2);
}

#[tokio::test]
async fn a_client_that_stops_its_upload_is_told_so() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let mut socket = TcpStream::connect(front.address).await.unwrap();
    socket.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(front.faults(Fault::UploadTimeout), 1);
    let noticed = async {
        while upstream.heads().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, noticed).await.unwrap();
    assert!(upstream.heads()[0].starts_with("BAD the upload broke off"), "{:?}", upstream.heads());
}

#[tokio::test]
async fn the_upstream_decides_whether_an_upload_is_wanted() {
    let upstream = Upstream::start(|path| match path {
        "/yes" => Act::SayTwice(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), answer("200 OK", "", "thanks")),
        _ => Act::SayTwice(answer("417 Expectation Failed", "Connection: close\r\n", "no"), Vec::new()),
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    for (path, interim, expected) in [("/yes", true, "200 OK"), ("/no", false, "417 ")] {
        let mut socket = TcpStream::connect(front.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, socket.read_buf(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer.starts_with(b"HTTP/1.1 100 Continue\r\n"), interim, "{}", String::from_utf8_lossy(&answer));
        if interim {
            socket.write_all(b"body").await.unwrap();
            answer.clear();
            timeout(PATIENCE, socket.read_buf(&mut answer)).await.unwrap().unwrap();
        }
        assert!(String::from_utf8_lossy(&answer).contains(expected), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn hints_of_the_upstream_are_relayed_and_not_lost() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nConnection: x\r\nX-Secret: 1\r\n\r\n\
                   HTTP/1.1 103 Early Hints\r\nLink: </b.js>; rel=preload; as=script\r\n\r\n";
    let page = [
        interim.as_bytes(),
        &answer("200 OK", "Content-Type: text/html\r\nLink: </b.js>; rel=preload; as=script\r\n", "hi"),
    ];
    let page = page.concat();
    let upstream = Upstream::start(move |_| Act::Say(page.clone())).await;
    let front = Front::before(&upstream, |_| ()).await;
    let socket = TcpStream::connect(front.address).await.unwrap();
    let (mut client, connection) =
        h2::client::Builder::new().enable_push(false).handshake::<_, Bytes>(socket).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::get("http://a.example/").header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    let (mut response, _) = client.send_request(request.body(()).unwrap(), true).unwrap();
    let hints = timeout(PATIENCE, std::future::poll_fn(|cx| response.poll_informational(cx))).await.unwrap();
    let hints = hints.unwrap().unwrap();
    assert_eq!(hints.status(), 103);
    assert_eq!(hints.headers().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["link"]);
    let head = timeout(PATIENCE, &mut response).await.unwrap().unwrap();
    let links: Vec<_> = head.headers().get_all("link").iter().map(|link| link.to_str().unwrap()).collect();
    assert_eq!(links, ["</b.js>; rel=preload; as=script", "</a.css>; rel=preload; as=style"]);
}

#[tokio::test]
async fn a_tunnel_carries_bytes_until_nobody_sends_any() {
    let agreed = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let upstream = Upstream::start(|path| match path {
        "/ws" => Act::Echo(agreed.to_vec()),
        _ => Act::Say(answer("400 Bad Request", "", "no")),
    })
    .await;
    let front = Front::before(&upstream, |config| config.timeouts.tunnel = Duration::from_millis(400)).await;
    let ask =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let refused = front.raw(ask("/other").as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");

    let mut socket = TcpStream::connect(front.address).await.unwrap();
    socket.write_all(ask("/ws").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: websocket\r\n"), "{head}");
    for round in 0..5_u8 {
        let sent = vec![round; 50_000];
        let mut back = vec![0; sent.len()];
        let (mut from, mut to) = socket.split();
        let (written, read) = tokio::join!(to.write_all(&sent), timeout(PATIENCE, from.read_exact(&mut back)));
        written.unwrap();
        read.unwrap().unwrap();
        assert_eq!(back, sent);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(front.proxy.stats().open_tunnels, 1);
    }
    assert_eq!(timeout(PATIENCE, socket.read(&mut [0; 8])).await.unwrap().unwrap_or(0), 0, "idle for too long");
    let closed = async {
        while front.proxy.stats().open_tunnels > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap();
}

#[tokio::test]
async fn http2_upstreams_are_asked_over_one_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let headstart = headstart::Headstart::builder().build().unwrap();
    let app = tower::service_fn(|request: Request<headstart::Body>| async move {
        let text = format!("{:?} {} {:?}", request.version(), request.uri(), request.headers().get("host"));
        let body = request.into_body().collect().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(http::Response::new(Full::new(Bytes::from(format!(
            "{text} {}",
            body.to_bytes().len()
        )))))
    });
    tokio::spawn(headstart.serve(listener, None, app).into_future());
    let front = Front::start(Config::new(vec![format!("h2c://{address}").parse().unwrap()])).await;
    let text = "HTTP/2.0 http://a.example/x?y None".to_owned();
    assert_eq!(front.get(1, "/x?y").await, (200, Some(format!("{text} 0"))));
    let post = Request::post("/x?y").header("host", "a.example").body(Full::from("x".repeat(300_000))).unwrap();
    assert_eq!(front.http2(post).await, (200, Some(format!("{text} 300000"))));
    let many = futures_util::future::join_all((0..60).map(|_| front.get(1, "/x?y"))).await;
    assert!(many.iter().all(|(status, _)| *status == 200));
    assert_eq!(front.proxy.stats().connections, 1);
}

#[tokio::test]
async fn assets_are_answered_from_memory_and_changes_are_seen() {
    let css = answer("200 OK", "Content-Type: text/css\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\n", "p{}");
    let upstream = Upstream::start(move |path| if path == "/a.css" { Act::Say(css.clone()) } else { ok() }).await;
    let front = Front::before(&upstream, |_| ()).await;
    for version in [2, 1, 2] {
        assert_eq!(front.get(version, "/a.css").await, (200, Some("p{}".into())));
    }
    assert_eq!(upstream.heads().len(), 1);
    let stats = front.proxy.stats();
    assert_eq!((stats.cache_hits, stats.cache_misses), (2, 1));
    let held = front.raw(b"GET /a.css HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"1\"\r\n\r\n").await;
    assert!(held.starts_with("HTTP/1.1 304 ") && held.contains("age: "), "{held}");
    assert_eq!(front.get(1, "/page").await.0, 200);
    assert_eq!(front.get(1, "/page").await.0, 200);
    assert_eq!(upstream.heads().len(), 3, "a page is asked for each time");
    let post = Request::post("/a.css").header("host", "a.example").body(Full::default()).unwrap();
    assert_eq!(front.http1(post).await.0, 200);
    assert_eq!(front.get(1, "/a.css").await.0, 200);
    assert_eq!(upstream.heads().len(), 5, "it was changed");

    upstream.forget();
    let front = Front::before(&upstream, |config| config.cache = Caching::Off).await;
    for _ in 0..2 {
        assert_eq!(front.get(2, "/a.css").await.0, 200);
    }
    assert_eq!(upstream.heads().len(), 2);
}

#[tokio::test]
async fn the_content_of_a_get_without_a_length_goes_through() {
    let upstream = Upstream::start(|_| ok()).await;
    let front = Front::before(&upstream, |_| {}).await;
    let client = super::http2::client(&front, 65_535).await;
    let (response, mut content) = client.ready().await.unwrap().send_request(super::http2::get("/"), false).unwrap();
    content.send_data(Bytes::from_static(b"asked for"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    let heads = upstream.heads();
    assert!(heads[0].ends_with("asked for") && heads[0].contains("chunked"), "{heads:?}");
}
