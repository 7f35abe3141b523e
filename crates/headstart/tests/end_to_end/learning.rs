//! Learning from traffic, and what is never learned.

use http::{Method, header};

use crate::kit::{Answer, Client, Pushes, Server};

async fn pushed(server: &Server, page: &str) -> Vec<String> {
    let mut client = Client::connect(server, Pushes::Taken).await;
    client.get(page).await.pushed
}

#[tokio::test]
async fn a_page_is_pushed_what_its_visitors_fetched() {
    let server = Server::start(
        |b| b,
        &[
            ("/", Answer::html("page")),
            ("/a.css", Answer::css("a")),
            ("/b.js", Answer::js("b")),
            ("/other.css", Answer::css("other")),
        ],
    )
    .await;
    assert!(pushed(&server, "/").await.is_empty(), "nothing is known");
    server.teach("/", &["/a.css", "/b.js"]).await;
    assert_eq!(pushed(&server, "/").await, ["/a.css", "/b.js"]);
    assert!(pushed(&server, "/other").await.is_empty());
}

#[tokio::test]
async fn what_a_stylesheet_pulls_in_belongs_to_the_page() {
    let server = Server::start(
        |b| b,
        &[("/", Answer::html("page")), ("/a.css", Answer::css("a")), ("/f.woff2", Answer::new("font/woff2", "f"))],
    )
    .await;
    for _ in 0..3 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        client.get("/").await;
        let base = format!("http://{}", server.address);
        client.send(Method::GET, "/a.css", &[("referer", &format!("{base}/"))]).await;
        client.send(Method::GET, "/f.woff2", &[("referer", &format!("{base}/a.css"))]).await;
    }
    server.headstart.finish();
    assert_eq!(pushed(&server, "/").await, ["/a.css", "/f.woff2"]);
}

#[tokio::test]
async fn without_a_referer_the_connection_tells() {
    let server = Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))]).await;
    for _ in 0..3 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        client.get("/").await;
        client.get("/a.css").await;
    }
    server.headstart.finish();
    assert_eq!(pushed(&server, "/").await, ["/a.css"]);
}

#[tokio::test]
async fn what_concerns_one_client_is_never_learned() {
    let css = |name, value| Answer::css("a").with(name, value);
    for private in [
        css(header::SET_COOKIE, "a=b"),
        css(header::CACHE_CONTROL, "private"),
        css(header::CACHE_CONTROL, "no-store"),
        css(header::VARY, "Cookie"),
        css(header::CONTENT_TYPE, "application/json"),
        Answer::css("a").status(404),
        Answer::css("a").status(500),
    ] {
        let server = Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", private.clone())]).await;
        server.teach("/", &["/a.css"]).await;
        let explained = server.headstart.explain(&server.address.to_string(), "/").unwrap();
        assert!(explained.assets.is_empty() && explained.hidden == 0, "{:?}", private.fields);
        assert!(pushed(&server, "/").await.is_empty());
    }
}

#[tokio::test]
async fn requests_that_prove_nothing_teach_nothing() {
    let server = Server::start(
        |b| b,
        &[("/", Answer::html("page")), ("/gone", Answer::html("gone").status(500)), ("/a.css", Answer::css("a"))],
    )
    .await;
    let base = format!("http://{}", server.address);
    let ours = format!("{base}/");
    for _ in 0..4 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        client.get("/").await;
        client.send(Method::HEAD, "/a.css", &[("referer", &ours)]).await;
        client.send(Method::GET, "/a.css", &[("referer", "https://evil.example/")]).await;
        client.send(Method::GET, "/a.css", &[("referer", &ours), ("range", "bytes=0-0")]).await;
        client.send(Method::GET, "/a.css", &[("referer", &ours), ("authorization", "x")]).await;
        client.send(Method::GET, "/a.css", &[("referer", &format!("{base}/never-visited"))]).await;
        client.get("/gone").await;
        client.send(Method::GET, "/a.css", &[("referer", &format!("{base}/gone"))]).await;
    }
    server.headstart.finish();
    assert!(pushed(&server, "/").await.is_empty());
    assert!(pushed(&server, "/gone").await.is_empty());
}

#[tokio::test]
async fn three_networks_are_needed_by_default() {
    let server =
        Server::start(|b| b.min_networks(3), &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))]).await;
    for _ in 0..10 {
        server.visit("/", &["/a.css"]).await;
    }
    server.headstart.finish();
    assert!(pushed(&server, "/").await.is_empty(), "all came from one network");
}

#[tokio::test]
async fn an_asset_that_is_gone_is_not_pushed() {
    let server = Server::start(
        |b| b,
        &[("/", Answer::html("page")), ("/a.css", Answer::css("a")), ("/b.css", Answer::css("b"))],
    )
    .await;
    server.teach("/", &["/a.css", "/b.css"]).await;
    server.put("/a.css", Answer::css("a").status(404));
    assert_eq!(pushed(&server, "/").await, ["/b.css"]);
    server.put("/a.css", Answer::css("a"));
    assert_eq!(pushed(&server, "/").await, ["/b.css"], "it has to be learned anew");
}

#[tokio::test]
async fn only_named_hosts_are_learned_for() {
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b.hosts(["Example.org"]), &pages).await;
    server.teach("/", &["/a.css"]).await;
    assert!(pushed(&server, "/").await.is_empty());
    assert!(server.headstart.explain(&server.address.to_string(), "/").is_none());
    assert_eq!(server.headstart.learner().stats().sites, 0);
}
