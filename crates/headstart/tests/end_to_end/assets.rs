//! Assets that the application names itself.

use headstart::{Assets, Decision, Destination};
use http::{Method, header};

use crate::kit::{Answer, BROWSER, Client, Pushes, Server, targets};

async fn server(page: Answer) -> Server {
    Server::start(|b| b, &[("/", page), ("/a.css", Answer::css("a")), ("/b.js", Answer::js("b"))]).await
}

#[tokio::test]
async fn a_list_is_pushed_to_the_first_client() {
    let assets = Assets::new().with("/a.css", Destination::Style).with_cors("/b.js", Destination::Script);
    let server = server(Answer::html("page").naming(assets)).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed, ["/a.css", "/b.js"]);
    let mut again = Client::connect(&server, Pushes::Taken).await;
    again.cookie = client.cookie.clone();
    assert!(again.get("/").await.pushed.is_empty(), "unless it holds them");

    let mut plain = Client::connect(&server, Pushes::Refused).await;
    let links = plain.get("/").await.links();
    assert_eq!(links, ["</a.css>; rel=preload; as=style", "</b.js>; rel=preload; as=script; crossorigin"]);
}

#[tokio::test]
async fn link_fields_are_read() {
    let field = "</a.css>; rel=preload; as=style, <b.js>; rel=preload; as=script; nopush, <//x.example/c.css>; rel=preload; as=style";
    let server = server(Answer::html("page").with(header::LINK, field)).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    let reply = client.get("/").await;
    assert_eq!(reply.pushed, ["/a.css"]);
    assert_eq!(reply.links(), [field], "the application's own field stays");
}

#[tokio::test]
async fn a_relative_link_is_not_written_again_and_one_for_us_not_at_all() {
    let field = "<a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script; x-http2-push-only";
    let server = server(Answer::html("page").with(header::LINK, field)).await;
    let mut pushed = Client::connect(&server, Pushes::Taken).await;
    let reply = pushed.get("/").await;
    assert_eq!(reply.pushed, ["/a.css", "/b.js"]);
    assert_eq!(reply.links(), ["<a.css>; rel=preload; as=style"]);
    let mut plain = Client::connect(&server, Pushes::Refused).await;
    assert_eq!(plain.get("/").await.links(), ["<a.css>; rel=preload; as=style"]);
}

#[tokio::test]
async fn an_unlikely_asset_that_the_response_names_is_pushed() {
    let page = Answer::html("page").with(header::LINK, "</a.css>; rel=preload; as=style");
    let pages = [("/", page), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b.push_threshold(1.0).hint_threshold(0.1), &pages).await;
    server.teach("/", &["/a.css"]).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed, ["/a.css"]);
}

#[tokio::test]
async fn named_and_learned_are_one() {
    let server = server(Answer::html("page").with(header::LINK, "</a.css>; rel=preload; as=style")).await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed, ["/a.css", "/b.js"]);
    let mut browser = Client::connect(&server, Pushes::Refused).await;
    let reply = browser.send(Method::GET, "/", &BROWSER).await;
    assert_eq!(reply.hints.len(), 1);
    assert_eq!(targets(&reply.hints[0]), ["/a.css", "/b.js"]);
    let links = reply.links();
    let mut found = targets(&links);
    found.sort_unstable();
    assert_eq!(found, ["/a.css", "/b.js"], "each is named once");
}

#[tokio::test]
async fn nonsense_is_not_sent() {
    let assets = Assets::new()
        .with("//evil.example/a.css", Destination::Style)
        .with("a.css", Destination::Style)
        .with("/ /", Destination::Style)
        .with("/missing.css", Destination::Style)
        .with("/a.css", Destination::Style);
    let server = server(Answer::html("page").naming(assets)).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed, ["/a.css"]);
    assert_eq!(server.last_view().with(Decision::Pushed).count(), 1, "nor said to have been");
}
