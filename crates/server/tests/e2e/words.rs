//! What the program makes of the pages' own words: for strangers, against forgers, and of pages that cannot be read.

use crate::beacon::counter;
use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::site::Site;
use http::{Method, StatusCode};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use testkit::app::{self, Request, Response};
use testkit::http2::{Client, NAVIGATION, Reply, targets};
use testkit::tls;
use tokio::net::TcpSocket;

/// The gate of a site on the Internet, also for clients of this machine: each 127.N.0.0 is a network.
const GATE: [&str; 4] = ["--admin", "127.0.0.1:0", "--min-networks", "3"];

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// A client of a network of its own, which takes no pushes.
async fn client(server: &Server, network: u8) -> Client {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, network, 1, 1], 0).into()).expect("an address");
    let socket = socket.connect(([127, 0, 0, 1], server.port).into()).await.expect("it listens");
    let config = tls::client(&[tls::read_certificate(&server.cert)], &["h2"]);
    let io = tls::connect(&config, "127.0.0.1", socket).await.expect("TLS");
    let mut settings = h2::client::Builder::new();
    Client::handshake(io, server.origin(), settings.enable_push(false)).await.expect("HTTP/2")
}

/// A page view by somebody who holds nothing; `cookie` is one of the application.
async fn view(server: &Server, network: u8, path: &str, cookie: Option<&str>) -> Reply {
    let mut fields = NAVIGATION.to_vec();
    fields.extend(cookie.map(|cookie| ("cookie", cookie)));
    client(server, network).await.send(Method::GET, path, &fields).await
}

/// Waits until so many pages were read.
async fn read(admin: Admin, pages: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while counter(admin, "headstart_page_readings_total{outcome=\"read\"}") < pages {
        assert!(Instant::now() < deadline, "{}", admin.get("/metrics").body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A path, the fields of its response, and the body.
type Answer = (&'static str, &'static [(&'static str, &'static str)], Vec<u8>);

/// An application that has these answers.
fn application(answers: &[Answer]) -> String {
    let answers: BTreeMap<&str, _> =
        answers.iter().map(|(path, fields, body)| (*path, (*fields, body.clone()))).collect();
    let answer = move |request: &Request| {
        let Some((fields, body)) = answers.get(request.target.as_str()) else {
            return Response { status: 404, ..Response::default() };
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Response { status: 200, fields: fields.iter().map(owned).collect(), body: body.clone() }
    };
    format!("http://{}", app::serve(answer))
}

const HTML: &[(&str, &str)] = &[("content-type", "text/html"), ("cache-control", "no-cache")];
const PRIVATE: &[(&str, &str)] = &[("content-type", "text/html"), ("cache-control", "private")];
const CSS: &[(&str, &str)] = &[("content-type", "text/css"), ("cache-control", "max-age=3600")];
const JS: &[(&str, &str)] = &[("content-type", "text/javascript"), ("cache-control", "max-age=3600")];

/// Nobody has loaded the page with its stylesheet: what the page says of it, to others, is enough for the fourth visitor.
#[test]
fn the_fourth_visitor_of_an_application_is_told_what_its_page_names() {
    let page = b"<!doctype html><link rel=stylesheet href=/a.css><p>text".to_vec();
    let upstream = application(&[("/", HTML, page), ("/a.css", CSS, b"p {}".to_vec())]);
    let home = Home::new();
    let server = Server::start_proxy(&upstream, &home, &GATE);
    let admin = Admin::of(&server);
    block_on(async {
        let first = view(&server, 1, "/", None).await;
        assert!(first.hints.is_empty() && first.links().is_empty());
        read(admin, 1).await;
        // Somebody has got the stylesheet, from wherever.
        client(&server, 9).await.get("/a.css").await;
        let second = view(&server, 2, "/", None).await;
        assert!(
            second.hints.is_empty() && second.links().is_empty(),
            "one network may have been shown a page of its own"
        );
        read(admin, 2).await;
        // The third is told already, as two networks were shown the same.
        for network in [3, 4] {
            assert_eq!(targets(&view(&server, network, "/", None).await.hints.concat()), ["/a.css"]);
        }
    });
}

/// Two users of two networks have seen the page and its assets. A stranger is told nothing of them, by no response.
#[test]
fn strangers_are_told_nothing_of_what_a_cookie_helped_to() {
    let page =
        b"<!doctype html><link rel=stylesheet href=/secret.css><script src=https://secret.example/x.js></script>"
            .to_vec();
    let upstream = application(&[
        ("/private", PRIVATE, page.clone()),
        ("/open", HTML, page.clone()),
        ("/secret.css", CSS, b"p {}".to_vec()),
    ]);
    let site = Site::small();
    site.write("/open.html", std::str::from_utf8(&page).expect("text"));
    site.write("/secret.css", "p {}");
    let (home, other) = (Home::new(), Home::new());
    let proxied = Server::start_proxy(&upstream, &home, &GATE);
    let files = Server::start(&site, &other, &GATE);
    for (server, paths) in [(&proxied, &["/private", "/open"][..]), (&files, &["/open.html"])] {
        block_on(async {
            for path in paths {
                for user in [1, 2] {
                    let cookie = format!("session={user}");
                    let mut client = client(server, user).await;
                    client.send(Method::GET, path, &[&NAVIGATION[..], &[("cookie", &cookie)]].concat()).await;
                    let referer = server.url(path);
                    let fields = [("cookie", cookie.as_str()), ("referer", &referer), ("sec-fetch-dest", "style")];
                    assert_eq!(client.send(Method::GET, "/secret.css", &fields).await.status, StatusCode::OK);
                }
                read(Admin::of(server), 1).await;
            }
        });
        server.let_visits_end();
        block_on(async {
            for path in paths {
                let reply = view(server, 3, path, None).await;
                let told = format!("{:?} {:?}", reply.hints, reply.links());
                assert!(!told.contains("secret"), "{path}: {told}");
            }
        });
    }
}

/// Two networks ask 5,000 times each for a script in modes and as kinds that the page does not. With the page's words and without.
#[test]
fn ten_thousand_forged_requests_of_two_networks_change_no_attribute() {
    const TIMES: usize = 5_000;
    const AT_ONCE: usize = 50;
    for reads in ["markup.read=true", "markup.read=false"] {
        let page = b"<!doctype html><script src=/a.js></script><p>text".to_vec();
        let upstream = application(&[("/", HTML, page), ("/a.js", JS, b"1".to_vec())]);
        let home = Home::new();
        let server = Server::start_proxy(&upstream, &home, &[&GATE[..], &["--set", reads]].concat());
        let referer = server.url("/");
        let honest = [("referer", referer.as_str()), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")];
        block_on(async {
            for network in 1..7 {
                let mut client = client(&server, network).await;
                client.send(Method::GET, "/", &NAVIGATION).await;
                client.send(Method::GET, "/a.js", &honest).await;
            }
        });
        server.let_visits_end();
        let told = || block_on(async { view(&server, 100, "/", None).await.hints.concat() });
        let before = told();
        assert_eq!(before, ["</a.js>; rel=preload; as=script"], "{reads}");
        block_on(async {
            for network in [101, 102] {
                let client = client(&server, network).await;
                for round in 0..TIMES / AT_ONCE {
                    if round % 10 == 0 {
                        client.clone().send(Method::GET, "/", &NAVIGATION).await;
                    }
                    let asked = (0..AT_ONCE).map(|n| {
                        let (mode, kind) = [("cors", "script"), ("cors", "font"), ("no-cors", "image")][n % 3];
                        let fields =
                            [("referer", referer.as_str()), ("sec-fetch-mode", mode), ("sec-fetch-dest", kind)];
                        let request = client.request(Method::GET, "/a.js", &fields);
                        let mut client = client.clone();
                        tokio::spawn(async move { client.try_send(request).await.expect("a response").status })
                    });
                    for answered in asked.collect::<Vec<_>>() {
                        assert_eq!(answered.await.expect("no panic"), StatusCode::OK);
                    }
                }
            }
        });
        server.let_visits_end();
        assert_eq!(told(), before, "{reads}");
    }
}

/// Broken HTML, a bomb of tags, 100,000 attributes, another charset, a coding that it is not in: the page goes out as it is, and
/// the metrics count what could not be read.
#[test]
fn pages_that_cannot_be_read_go_out_as_they_are() {
    const GZIP: &[(&str, &str)] = &[("content-type", "text/html"), ("content-encoding", "gzip")];
    const UTF_16: &[(&str, &str)] = &[("content-type", "text/html; charset=utf-16")];
    let utf_16: Vec<u8> = "<link rel=stylesheet href=/a.css>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = b"<link rel=stylesheet href=/caf\xe9.css>\xff\xfe\0".to_vec();
    let pages = [
        ("/broken", HTML, b"<link rel=stylesheet href=/a.css".to_vec()),
        ("/latin", HTML, latin),
        ("/bomb", HTML, "<div>".repeat(70_000).into_bytes()),
        ("/attributes", HTML, format!("<img {}>", "a ".repeat(100_000)).into_bytes()),
        ("/utf-16", UTF_16, utf_16),
        ("/no-gzip", GZIP, b"<link rel=stylesheet href=/a.css>".to_vec()),
    ];
    let home = Home::new();
    let server = Server::start_proxy(&application(&pages), &home, &GATE);
    let admin = Admin::of(&server);
    block_on(async {
        for (number, (path, fields, body)) in pages.iter().enumerate() {
            let reply = view(&server, 1, path, None).await;
            assert_eq!(reply.status, StatusCode::OK);
            assert!(reply.body == *body, "{path}: {} bytes of {}", reply.body.len(), body.len());
            for (name, value) in *fields {
                assert_eq!(reply.headers.get(*name).map(http::HeaderValue::as_bytes), Some(value.as_bytes()), "{path}");
            }
            read(admin, number as u64 + 1).await;
        }
    });
    let early = counter(admin, "headstart_page_readings_total{outcome=\"ended_early\"}");
    assert_eq!(early, 4, "all but the first two, which a browser reads too: {}", admin.get("/metrics").body);
    assert_eq!(counter(admin, "headstart_page_readings_total{outcome=\"dropped\"}"), 0);
}
