//! Text that the upstream sends as it is.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::kit::{Act, Front, PATIENCE, Upstream, answer};

const GZIP: (&str, &str) = ("accept-encoding", "gzip");

fn page() -> String {
    (0..2000_u32).map(|number| number.to_string()).collect::<Vec<_>>().join("</p>\n<p>paragraph ")
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// Status, fields and content of one request over HTTP/1.1.
async fn ask(front: &Front, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, HeaderMap, Bytes) {
    let socket = TcpStream::connect(front.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "a.example");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let sent = sender.send_request(request.body(Full::<Bytes>::default()).unwrap());
    let (head, body) = timeout(PATIENCE, sent).await.unwrap().unwrap().into_parts();
    let body = timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    (head.status.as_u16(), head.headers, body)
}

#[tokio::test]
async fn a_page_arrives_whole_however_it_came() {
    let length = answer("200 OK", "Content-Type: text/html\r\nETag: \"1\"\r\n", &page());
    let mut chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in page().as_bytes().chunks(777) {
        chunked.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        chunked.extend([piece, b"\r\n"].concat());
    }
    chunked.extend(b"0\r\n\r\n");
    let upstream = Upstream::start(move |path| match path {
        "/length" => Act::Say(length.clone()),
        "/close" => {
            Act::SayAndClose([&b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"[..], page().as_bytes()].concat())
        }
        _ => Act::Say(chunked.clone()),
    });
    let front = Front::before(&upstream.await, |_| {}).await;
    for path in ["/length", "/chunked", "/close"] {
        let (status, fields, body) = ask(&front, "GET", path, &[GZIP]).await;
        assert_eq!((status, gunzip(&body)), (200, page()), "{path}");
        assert_eq!(
            (&fields["content-encoding"], &fields["vary"]),
            (&"gzip".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
        );
        assert!(body.len() < page().len() / 4, "{path}: {}", body.len());
        let (_, fields, body) = ask(&front, "GET", path, &[]).await;
        assert_eq!((&fields["vary"], body), (&"Accept-Encoding".parse().unwrap(), page().into()), "{path}");
    }
    let (status, fields, body) = ask(&front, "HEAD", "/length", &[GZIP]).await;
    assert_eq!((status, body.len()), (200, 0));
    assert_eq!((&fields["content-encoding"], &fields["etag"]), (&"gzip".parse().unwrap(), &"W/\"1\"".parse().unwrap()));
    assert_eq!(front.proxy.stats().bytes_down, 6 * page().len() as u64, "counted as the upstream sent it");
}

#[tokio::test]
async fn events_go_out_as_they_are() {
    let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
    let upstream = Upstream::start(move |_| Act::SayAndClose(events.into())).await;
    let front = Front::before(&upstream, |_| {}).await;
    let (_, fields, body) = ask(&front, "GET", "/", &[GZIP]).await;
    assert_eq!((fields.get("content-encoding"), &body[..]), (None, &b"data: 1\n\n"[..]));
}

/// The limit of a body is on silence: what comes little by little is whole in the end, though nothing goes out before.
#[tokio::test]
async fn a_short_page_may_take_longer_than_it_may_be_silent() {
    let text = "slow ".repeat(240);
    let slow = answer("200 OK", "Content-Type: text/html\r\n", &text);
    let upstream = Upstream::start(move |_| Act::Trickle(slow.clone())).await;
    let front = Front::before(&upstream, |config| {
        config.timeouts.body = Duration::from_millis(800);
        if let Some(compression) = &mut config.compress {
            compression.from = 100;
        }
    });
    let (status, fields, body) = ask(&front.await, "GET", "/", &[GZIP]).await;
    assert_eq!((status, &fields["content-encoding"]), (200, &"gzip".parse().unwrap()));
    assert_eq!(gunzip(&body), text);
}

#[tokio::test]
async fn a_part_arrives_though_nothing_follows() {
    let first = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    let upstream = Upstream::start(|_| Act::SayAndHang(first.to_vec())).await;
    let front = Front::before(&upstream, |config| config.timeouts.body = PATIENCE).await;
    let socket = TcpStream::connect(front.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/").header("host", "a.example").header(GZIP.0, GZIP.1);
    let mut response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let mut coded = Vec::new();
    let mut event = String::new();
    while !event.ends_with("\n\n") {
        let frame = timeout(Duration::from_secs(5), response.frame()).await.expect("the event, though nothing follows");
        coded.extend_from_slice(frame.unwrap().unwrap().data_ref().unwrap());
        event.clear();
        let mut decoder = flate2::read::GzDecoder::new(&coded[..]);
        let mut byte = [0];
        while let Ok(1) = decoder.read(&mut byte) {
            event.push(byte[0].into());
        }
    }
    assert_eq!(event, "data: 1\n\n");
}

#[tokio::test]
async fn a_coded_response_that_breaks_off_has_no_end() {
    let half = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999\r\n\r\n{}", page());
    let upstream = Upstream::start(move |_| Act::SayAndClose(half.clone().into_bytes())).await;
    let front = Front::before(&upstream, |_| {}).await;
    let request =
        || Request::get("/").header("host", "a.example").header(GZIP.0, GZIP.1).body(Full::default()).unwrap();
    assert_eq!(front.http1(request()).await.1, None);
    assert_eq!(front.http2(request()).await.1, None);
}

#[tokio::test]
async fn the_cache_keeps_coded_forms() {
    let css = "Content-Type: text/css\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\n";
    let whole = answer("200 OK", css, &page());
    let upstream = Upstream::start(move |_| Act::Say(whole.clone())).await;
    let front = Front::before(&upstream, |_| {}).await;
    let (_, first, body) = ask(&front, "GET", "/a.css", &[GZIP]).await;
    let (_, second, again) = ask(&front, "GET", "/a.css", &[GZIP]).await;
    assert_eq!((upstream.heads().len(), &body), (1, &again));
    assert_eq!((&first["etag"], &second["etag"]), (&"W/\"1\"".parse().unwrap(), &"W/\"1\"".parse().unwrap()));
    assert_eq!(second["content-length"], body.len().to_string(), "the length is known now");
    let (status, fields, _) = ask(&front, "GET", "/a.css", &[GZIP, ("if-none-match", "W/\"1\"")]).await;
    assert_eq!((status, &fields["etag"]), (304, &"W/\"1\"".parse().unwrap()));
    assert_eq!(upstream.heads().len(), 1);
    // Another form for a client that takes no coding.
    let (_, fields, body) = ask(&front, "GET", "/a.css", &[]).await;
    assert_eq!((&fields["etag"], body), (&"\"1\"".parse().unwrap(), page().into()));
    assert_eq!(upstream.heads().len(), 2);
}

#[tokio::test]
async fn what_is_held_in_coded_form_is_confirmed() {
    let upstream = Upstream::start(|path| {
        let fields = "Content-Type: text/css\r\nETag: \"1\"\r\nCache-Control: max-age=1\r\nVary: Origin\r\n";
        Act::Say(match path {
            "/held" => "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nVary: Origin\r\n\r\n".into(),
            _ => answer("200 OK", fields, &page()),
        })
    })
    .await;
    let front = Front::before(&upstream, |_| {}).await;
    let (status, fields, _) = ask(&front, "GET", "/held", &[GZIP, ("if-none-match", "W/\"1\"")]).await;
    assert_eq!((status, &fields["etag"]), (304, &"W/\"1\"".parse().unwrap()));
    assert!(upstream.heads()[0].contains("if-none-match: W/\"1\", \"1\"\r\n"), "{:?}", upstream.heads());
    let varies = |fields: &HeaderMap| fields.get_all("vary").iter().any(|value| value == "Accept-Encoding");
    assert!(varies(&fields));
}

#[tokio::test]
async fn a_stale_coded_form_is_refreshed_as_such() {
    let asked = AtomicUsize::new(0);
    let upstream = Upstream::start(move |_| {
        let fields = "Content-Type: text/css\r\nETag: \"1\"\r\nCache-Control: max-age=60\r\n";
        Act::Say(match asked.fetch_add(1, Ordering::Relaxed) {
            1 => "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nVary: Origin\r\nCache-Control: max-age=60\r\n\r\n".into(),
            _ => answer("200 OK", fields, &page()),
        })
    });
    let upstream = upstream.await;
    let front = Front::before(&upstream, |_| {}).await;
    let (_, _, coded) = ask(&front, "GET", "/a.css", &[GZIP]).await;
    front.cache.later(Duration::from_secs(100));
    for confirmed in ["by the upstream", "before"] {
        let (status, fields, body) = ask(&front, "GET", "/a.css", &[GZIP]).await;
        assert_eq!((status, &fields["etag"], body), (200, &"W/\"1\"".parse().unwrap(), coded.clone()), "{confirmed}");
        assert_eq!(fields.get_all("vary").iter().collect::<Vec<_>>(), ["Origin", "Accept-Encoding"], "{confirmed}");
    }
    // The strong form beside it, for upstreams that compare byte by byte.
    assert!(upstream.heads()[1].contains("if-none-match: W/\"1\", \"1\"\r\n"), "{:?}", upstream.heads());
    let (_, fields, body) = ask(&front, "GET", "/a.css", &[]).await;
    assert_eq!((fields.get("content-encoding"), body), (None, page().into()));
}

#[tokio::test]
async fn a_write_names_the_tag_of_the_upstream() {
    let upstream = Upstream::start(|_| Act::Say(answer("204 No Content", "", ""))).await;
    let front = Front::before(&upstream, |_| {}).await;
    ask(&front, "PUT", "/x", &[("if-match", "W/\"1\"")]).await;
    assert!(upstream.heads()[0].contains("if-match: \"1\"\r\n"), "{:?}", upstream.heads());
    upstream.forget();
    let front = Front::before(&upstream, |config| config.compress = None).await;
    ask(&front, "PUT", "/x", &[("if-match", "W/\"1\"")]).await;
    assert!(upstream.heads()[0].contains("if-match: W/\"1\"\r\n"), "{:?}", upstream.heads());
}

#[tokio::test]
async fn a_guess_beside_a_secret_goes_out_as_it_is() {
    let upstream = Upstream::start(|_| Act::Say(answer("200 OK", "Content-Type: text/html\r\n", &page()))).await;
    let front = Front::before(&upstream, |_| {}).await;
    for (site, coded) in [("cross-site", false), ("same-origin", true)] {
        let fields = [GZIP, ("cookie", "session=1"), ("sec-fetch-site", site)];
        let (_, fields, _) = ask(&front, "GET", "/?q=guess", &fields).await;
        assert_eq!(fields.contains_key("content-encoding"), coded, "{site}");
    }
}

#[tokio::test]
async fn without_memory_everything_goes_out_as_it_is() {
    let upstream = Upstream::start(|_| Act::Say(answer("200 OK", "Content-Type: text/html\r\n", &page()))).await;
    let front = Front::before(&upstream, |config| {
        if let Some(compression) = &mut config.compress {
            compression.max_memory = 0;
        }
    })
    .await;
    let (_, fields, body) = ask(&front, "GET", "/", &[GZIP]).await;
    assert!(!fields.contains_key("content-encoding") && fields.contains_key("vary"));
    assert_eq!(body, page());
}
