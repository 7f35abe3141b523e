//! Push, 103, `Link`, or nothing: which client gets what.

use headstart::{Decision, Outlet};
use http::{Method, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{Answer, BROWSER, Client, Pushes, Server, targets};

async fn taught() -> Server {
    let server = Server::start(
        |b| b,
        &[
            ("/", Answer::html("page")),
            ("/a.css", Answer::css("a")),
            ("/b.js", Answer::js("b")),
            ("/f.woff2", Answer::new("font/woff2", "f").with(header::CACHE_CONTROL, "public, max-age=60")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/b.js", "/f.woff2"]).await;
    server
}

#[tokio::test]
async fn a_client_that_takes_pushes_gets_pushes_alone() {
    let server = taught().await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    server.asked();
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(reply.pushed, ["/a.css", "/b.js", "/f.woff2"], "what may block comes first");
    assert_eq!(&reply.body[..], b"page");
    assert!(reply.hints.is_empty() && reply.links().is_empty());
    assert_eq!(server.asked().len(), 4, "the page and each push, once");
    assert_eq!(server.last_view().outlet, Outlet::Push);
}

#[tokio::test]
async fn a_browser_gets_one_103() {
    let server = taught().await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert!(reply.pushed.is_empty());
    let [hints] = &reply.hints[..] else { panic!("one 103, not {:?}", reply.hints) };
    assert_eq!(
        hints[..],
        [
            "</a.css>; rel=preload; as=style",
            "</b.js>; rel=preload; as=script",
            "</f.woff2>; rel=preload; as=font; crossorigin",
        ]
    );
    assert_eq!(reply.links(), *hints, "the final response repeats them (RFC 8297)");
}

/// What was hinted goes out in the order of need, which a browser does not know when it asks; what was not hinted, or is
/// asked for again, as the client says.
#[tokio::test]
async fn hinted_assets_come_in_the_order_of_need() {
    let body = "x".repeat(200_000);
    let pages = [("/a.css", Answer::css(&body)), ("/b.js", Answer::js(&body)), ("/c.js", Answer::js(&body))];
    let page = Answer::html("<!doctype html><link rel=stylesheet href=/a.css><script async src=/b.js></script>");
    let server = Server::start(|b| b, &[&pages[..], &[("/", page)]].concat()).await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let navigation = [&BROWSER[..], &[("priority", "u=0, i")]].concat();
    let reply = client.send(Method::GET, "/", &navigation).await;
    assert_eq!(targets(&reply.hints[0]), ["/a.css", "/b.js"]);
    let asked = [("/b.js", "u=0, i"), ("/a.css", "u=1, i"), ("/c.js", "u=0")];
    assert_eq!(client.race(&asked).await, ["/c.js", "/a.css", "/b.js"]);
    let again = [("/a.css", "u=3"), ("/c.js", "u=2"), ("/b.js", "u=1")];
    assert_eq!(client.race(&again).await, ["/b.js", "/c.js", "/a.css"]);
}

/// A client that says nothing of its page's urgency gets the page first all the same.
#[tokio::test]
async fn nothing_that_is_hinted_comes_before_its_page() {
    let body = "x".repeat(200_000);
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css(&body)), ("/b.js", Answer::js(&body))];
    let server = Server::start(|b| b, &pages).await;
    server.teach("/", &["/a.css"]).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(targets(&reply.hints[0]), ["/a.css"]);
    assert_eq!(client.race(&[("/b.js", "u=3"), ("/a.css", "u=1")]).await, ["/b.js", "/a.css"]);
}

#[tokio::test]
async fn everyone_else_gets_link() {
    let server = taught().await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.get("/").await;
    assert!(reply.pushed.is_empty() && reply.hints.is_empty());
    assert_eq!(targets(&reply.links()), ["/a.css", "/b.js", "/f.woff2"]);
    let browser_without = [&BROWSER[..], &[("no-early-hints", "1")]].concat();
    let reply = client.send(Method::GET, "/", &browser_without).await;
    assert!(reply.hints.is_empty());
}

#[tokio::test]
async fn http1_gets_link_and_teaches() {
    let server = Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))]).await;
    let ask = async |request: String| {
        let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let host = server.address;
    for _ in 0..3 {
        ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
        ask(format!("GET /a.css HTTP/1.1\r\nHost: {host}\r\nReferer: http://{host}/\r\nConnection: close\r\n\r\n"))
            .await;
    }
    server.headstart.finish();
    let answer = ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("link: </a.css>; rel=preload; as=style\r\n"), "{answer}");
    assert!(answer.ends_with("page"));
}

#[tokio::test]
async fn only_plain_navigations_are_helped() {
    let server = taught().await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    for (method, fields) in [
        (Method::POST, vec![]),
        (Method::HEAD, vec![]),
        (Method::GET, vec![("range", "bytes=0-1")]),
        (Method::GET, vec![("if-none-match", "\"x\"")]),
        (Method::GET, vec![("authorization", "Basic x")]),
        (
            Method::GET,
            vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-purpose", "prefetch")],
        ),
        (Method::GET, vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
    ] {
        let reply = client.send(method.clone(), "/", &fields).await;
        assert!(reply.pushed.is_empty() && reply.links().is_empty(), "{method} {fields:?}");
        assert!(reply.headers.get(header::SET_COOKIE).is_none());
    }
    assert_eq!(client.get("/").await.pushed.len(), 3, "and these did it no harm");
}

#[tokio::test]
async fn a_page_that_fails_gets_nothing() {
    let server = taught().await;
    server.put("/", Answer::html("broken").status(500));
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.get("/").await;
    assert!(reply.pushed.is_empty() && reply.links().is_empty());
}

#[tokio::test]
async fn save_data_gets_nothing() {
    let server = taught().await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.send(Method::GET, "/", &[("save-data", "on")]).await;
    assert!(reply.pushed.is_empty() && reply.links().is_empty());
}

#[tokio::test]
async fn as_many_clients_are_held_out_as_the_chances_of_their_draws_say() {
    let server =
        Server::start(|b| b.holdout(16).secret([7; 32]), &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))])
            .await;
    server.teach("/", &["/a.css"]).await;
    let before = server.views().len();
    for n in 0..80 {
        let mut client = Client::connect(&server, Pushes::Taken).await;
        let reply = client.send(Method::GET, "/", &[("user-agent", &format!("Test/{n}"))]).await;
        let view = server.last_view();
        assert_eq!(reply.pushed.is_empty(), view.held_out);
        assert_eq!(view.with(Decision::HeldOut).count() == 1, view.held_out);
    }
    let views = server.views().split_off(before);
    let held_out = views.iter().filter(|view| view.held_out).count();
    let (expected, variance) = views.iter().fold((0.0, 0.0), |(expected, variance), view| {
        let chance = view.holdout_probability;
        assert!((0.0..=1.0).contains(&chance));
        (expected + chance, variance + chance * (1.0 - chance))
    });
    let off = (held_out as f32 - expected).abs();
    assert!(off <= 4.0 * f32::sqrt(variance) + 1.0, "{held_out} of 80, {expected} expected");
    assert!(held_out > 0 && held_out < 80, "{held_out} of 80");
    assert!(views.iter().any(|view| view.held_out && view.to_string().contains("held out")));
}

#[tokio::test]
async fn pushes_stay_within_the_page_budget() {
    let big = "x".repeat(100_000);
    let server = Server::start(
        |b| b.max_pushes(2).max_push_bytes(150_000),
        &[
            ("/", Answer::html("page")),
            ("/a.css", Answer::css(&big)),
            ("/b.css", Answer::css(&big)),
            ("/c.css", Answer::css("c")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/b.css", "/c.css"]).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.get("/").await;
    assert_eq!(reply.pushed, ["/a.css"]);
    assert_eq!(targets(&reply.links()), ["/b.css", "/c.css"], "the rest is named");
}

#[tokio::test]
async fn what_a_browser_would_fetch_twice_is_not_in_the_103() {
    let server = taught().await;
    server.put("/b.js", Answer::js("b").with(header::CACHE_CONTROL, "no-cache"));
    server.visit("/", &["/b.js"]).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(targets(&reply.hints[0]), ["/a.css", "/f.woff2"]);
    let links = reply.links();
    let mut named = targets(&links);
    named.sort_unstable();
    assert_eq!(named, ["/a.css", "/b.js", "/f.woff2"], "the page names it all the same");
}
