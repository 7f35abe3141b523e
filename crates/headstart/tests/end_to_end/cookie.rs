//! Assets that the client holds are not sent again.

use headstart::{CookieFormat, Decision, VerifyHeld};
use http::{Method, header};

use crate::kit::{Answer, BROWSER, Client, Pushes, Server, targets};

const PAGES: [&str; 4] = ["/a.css", "/c.css", "/b.js", "/d.js"];

async fn taught(format: CookieFormat) -> Server {
    let server = Server::start(
        |b| b.cookie(format).verify_held(VerifyHeld::Always),
        &[
            ("/", Answer::html("first")),
            ("/two", Answer::html("second")),
            ("/a.css", Answer::css("a")),
            ("/b.js", Answer::js("b")),
            ("/c.css", Answer::css("c")),
            ("/d.js", Answer::js("d")),
        ],
    )
    .await;
    server.teach("/", &PAGES[..3]).await;
    server.teach("/two", &PAGES[1..]).await;
    server
}

async fn check(format: CookieFormat, name: &str) {
    let server = taught(format).await;
    let mut first = Client::connect(&server, Pushes::Taken).await;
    let reply = first.get("/").await;
    assert_eq!(reply.pushed, ["/a.css", "/c.css", "/b.js"], "stylesheets before scripts");
    let field = reply.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(field.starts_with(&format!("{name}=")), "{field}");
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=604800"] {
        assert!(field.contains(attribute), "{field}");
    }
    assert_eq!(reply.headers[header::CACHE_CONTROL], "private", "no shared cache may keep the cookie");

    let mut again = Client::connect(&server, Pushes::Taken).await;
    again.cookie.clone_from(&first.cookie);
    let reply = again.get("/").await;
    assert!(reply.pushed.is_empty());
    assert!(reply.headers.get(header::SET_COOKIE).is_none(), "nothing is new");
    assert_eq!(server.last_view().with(Decision::Held).count(), 3);

    let mut second = Client::connect(&server, Pushes::Taken).await;
    second.cookie.clone_from(&first.cookie);
    assert_eq!(second.get("/two").await.pushed, ["/d.js"]);
}

#[tokio::test]
async fn our_cookie() {
    check(CookieFormat::Headstart, "__Host-headstart").await;
}

#[tokio::test]
async fn the_go_casper_cookie() {
    check(CookieFormat::GoCasper { keys: 128, p: 64 }, "x-go-casper").await;
}

#[tokio::test]
async fn the_h2o_cookie() {
    check(CookieFormat::H2oCasper { capacity_bits: 13 }, "h2o_casper").await;
}

#[tokio::test]
async fn an_asset_that_changed_is_sent_again() {
    let server = taught(CookieFormat::Headstart).await;
    let mut first = Client::connect(&server, Pushes::Taken).await;
    first.get("/").await;
    server.put("/b.js", Answer::js("changed"));
    let mut again = Client::connect(&server, Pushes::Taken).await;
    again.cookie = first.cookie.clone();
    assert_eq!(again.get("/").await.pushed, ["/b.js"]);
    let mut third = Client::connect(&server, Pushes::Taken).await;
    third.cookie = again.cookie.clone();
    assert!(third.get("/").await.pushed.is_empty());
    assert_eq!(first.get("/").await.pushed, ["/b.js"], "the connection's diary knows versions too");
}

#[tokio::test]
async fn a_change_is_no_reason_to_push_what_would_not_be_pushed() {
    let server = taught(CookieFormat::Headstart).await;
    let mut first = Client::connect(&server, Pushes::Taken).await;
    first.get("/").await;
    server.put("/b.js", Answer::js("changed"));
    let mut again = Client::connect(&server, Pushes::Taken).await;
    again.cookie = first.cookie.clone();
    let reply = again.send(Method::GET, "/", &[("save-data", "on")]).await;
    assert!(reply.pushed.is_empty(), "{:?}", reply.pushed);
}

#[tokio::test]
async fn what_is_held_is_held_in_a_view_that_is_held_out() {
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b.holdout(1), &pages).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    for _ in 0..3 {
        client.get("/").await;
        client.get("/a.css").await;
    }
    server.headstart.finish();
    assert!(client.get("/").await.pushed.is_empty());
    let view = server.last_view();
    assert!(view.held_out);
    assert_eq!((view.with(Decision::Held).count(), view.with(Decision::HeldOut).count()), (1, 0));
}

#[tokio::test]
async fn a_connection_remembers_without_a_cookie() {
    let server = taught(CookieFormat::Off).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert_eq!(client.get("/").await.pushed.len(), 3);
    assert!(client.get("/").await.pushed.is_empty());
    assert!(client.cookie.is_none());
}

#[tokio::test]
async fn what_a_client_fetched_itself_is_in_its_next_cookie() {
    let server = taught(CookieFormat::Headstart).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    client.get("/unknown").await;
    let referer = format!("http://{}/", server.address);
    client.send(Method::GET, "/a.css", &[("referer", &referer)]).await;
    let reply = client.get("/").await;
    assert_eq!(targets(&reply.links()), ["/c.css", "/b.js"]);
    let mut later = Client::connect(&server, Pushes::Taken).await;
    later.cookie = client.cookie.clone();
    assert_eq!(later.get("/").await.pushed, ["/c.css", "/b.js"], "Link is no proof that they were fetched");
}

#[tokio::test]
async fn a_browser_holds_what_it_was_hinted() {
    let server = taught(CookieFormat::Headstart).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    assert_eq!(client.send(Method::GET, "/", &BROWSER).await.hints.len(), 1);
    let mut later = Client::connect(&server, Pushes::Refused).await;
    later.cookie = client.cookie.clone();
    let reply = later.send(Method::GET, "/", &BROWSER).await;
    assert!(reply.hints.is_empty() && reply.links().is_empty());
}

#[tokio::test]
async fn documents_for_everyone_carry_no_cookie() {
    let server = taught(CookieFormat::Headstart).await;
    for public in ["public, max-age=60", "no-cache"] {
        server.put("/", Answer::html("first").with(header::CACHE_CONTROL, public));
        let mut client = Client::connect(&server, Pushes::Taken).await;
        let reply = client.get("/").await;
        assert_eq!(reply.pushed.len(), 3);
        assert!(reply.headers.get(header::SET_COOKIE).is_none(), "{public}");
        assert_eq!(reply.headers[header::CACHE_CONTROL], public);
    }
    server.put("/", Answer::html("first").with(header::CACHE_CONTROL, "private, no-cache"));
    let mut client = Client::connect(&server, Pushes::Taken).await;
    assert!(client.get("/").await.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn who_refuses_tracking_gets_no_cookie() {
    let server = taught(CookieFormat::Headstart).await;
    for field in [("dnt", "1"), ("sec-gpc", "1")] {
        let mut client = Client::connect(&server, Pushes::Taken).await;
        let reply = client.send(Method::GET, "/", &[field]).await;
        assert_eq!(reply.pushed.len(), 3);
        assert!(reply.headers.get(header::SET_COOKIE).is_none());
    }
}

#[tokio::test]
async fn a_corrupt_cookie_is_ignored_and_said() {
    let server = taught(CookieFormat::Headstart).await;
    let mut client = Client::connect(&server, Pushes::Taken).await;
    client.cookie = Some("__Host-headstart=AQAAAAAAnonsense; other=1".to_owned());
    let reply = client.get("/").await;
    assert_eq!(reply.pushed.len(), 3);
    assert!(server.last_view().corrupt_cookie);
    assert!(server.last_view().to_string().contains("corrupt"));
    assert_eq!(server.headstart.stats().corrupt_cookies, 1);
}
