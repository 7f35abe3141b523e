//! Uses of the pages' own words.

use std::time::Duration;

use headstart::{Decision, Reason};
use http::{Method, header};

use crate::kit::{Answer, BROWSER, Client, Pushes, Reply, Server, targets};

const CHROMIUM: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36");

/// Waits until so many pages were read.
async fn read(server: &Server, pages: u64) {
    for _ in 0..500 {
        if server.headstart.stats().reading.read >= pages {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", server.headstart.stats().reading);
}

async fn browse(server: &Server, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut client = Client::connect(server, Pushes::Refused).await;
    client.send(Method::GET, path, &[&BROWSER[..], fields].concat()).await
}

fn hints(reply: &Reply) -> &[String] {
    reply.hints.first().map_or(&[], |hints| &hints[..])
}

#[tokio::test]
async fn hints_say_what_the_page_says() {
    let page = "<link rel=stylesheet href=/a.css integrity=sha384-x crossorigin><script type=module src=/m.js></script>\
                <script src=/c.js crossorigin=use-credentials></script><link rel=icon href=/logo.png>\
                <img src=/lazy.png loading=lazy><svg><use href=/s.svg#x /></svg>";
    let image = |body| Answer::new("image/png", body).with(header::CACHE_CONTROL, "max-age=600");
    let server = Server::start(
        |b| b,
        &[
            ("/", Answer::html(page)),
            ("/a.css", Answer::css("a")),
            ("/m.js", Answer::js("m")),
            ("/c.js", Answer::js("c")),
            ("/logo.png", image("l")),
            ("/lazy.png", image("z")),
            ("/s.svg", image("s")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/m.js", "/c.js", "/logo.png", "/lazy.png", "/s.svg"]).await;
    read(&server, 1).await;
    let reply = browse(&server, "/", &[]).await;
    let mut found = hints(&reply).to_vec();
    found.sort();
    assert_eq!(
        found,
        [
            "</a.css>; rel=preload; as=style; crossorigin; integrity=\"sha384-x\"",
            "</c.js>; rel=preload; as=script; crossorigin=use-credentials",
            "</m.js>; rel=modulepreload",
        ]
    );
    let view = server.last_view();
    let omitted = |path: &str| view.assets.iter().find(|asset| *asset.path == *path).unwrap().decision;
    assert_eq!(omitted("/logo.png"), Decision::Omitted(Reason::Inexpressible));
    assert_eq!(omitted("/s.svg"), Decision::Omitted(Reason::Inexpressible));
    assert_eq!(omitted("/lazy.png"), Decision::Omitted(Reason::PutOff));
    assert_eq!(reply.links(), hints(&reply), "a client that is not known to act on a 103 is told twice");
    let chromium = browse(&server, "/", &[CHROMIUM]).await;
    assert_eq!((hints(&chromium).len(), chromium.links().len()), (3, 0), "Chromium is told once");
}

#[tokio::test]
async fn what_a_policy_admits_by_nonce_is_in_no_103_and_carries_the_nonce() {
    let page = "<link rel=stylesheet href=/a.css nonce=r4nd><script src=/b.js nonce=r4nd></script><img src=/i.png>";
    let policy = "script-src 'nonce-r4nd'; style-src 'nonce-r4nd'";
    let server = Server::start(
        |b| b,
        &[
            ("/", Answer::html(page).with(header::CONTENT_SECURITY_POLICY, policy)),
            ("/a.css", Answer::css("a")),
            ("/b.js", Answer::js("b")),
            ("/i.png", Answer::new("image/png", "i").with(header::CACHE_CONTROL, "max-age=600")),
        ],
    )
    .await;
    server.teach("/", &["/a.css", "/b.js", "/i.png"]).await;
    let reply = browse(&server, "/", &[CHROMIUM]).await;
    assert_eq!(targets(hints(&reply)), ["/i.png"]);
    assert_eq!(
        reply.links(),
        ["</a.css>; rel=preload; as=style; nonce=\"r4nd\"", "</b.js>; rel=preload; as=script; nonce=\"r4nd\""]
    );
}

#[tokio::test]
async fn a_page_is_helped_before_its_assets_were_learned() {
    let page = "<link rel=stylesheet href=/a.css><script src=/b.js></script>";
    let pages = [("/", Answer::html(page)), ("/a.css", Answer::css("a")), ("/b.js", Answer::js("b"))];
    let server = Server::start(|b| b, &pages).await;
    browse(&server, "/", &[]).await;
    read(&server, 1).await;
    assert!(hints(&browse(&server, "/", &[]).await).is_empty(), "nobody has got the assets yet");
    Client::connect(&server, Pushes::Refused).await.get("/a.css").await;
    assert_eq!(targets(hints(&browse(&server, "/", &[]).await)), ["/a.css"]);
    let off = Server::start(|b| b.markup(|markup| markup.cold_start = false), &pages).await;
    browse(&off, "/", &[]).await;
    read(&off, 1).await;
    Client::connect(&off, Pushes::Refused).await.get("/a.css").await;
    assert!(hints(&browse(&off, "/", &[]).await).is_empty());
}

/// Two users, and a stranger.
#[tokio::test]
async fn nothing_of_a_page_that_a_cookie_helped_to_is_told_to_strangers() {
    let page = "<link rel=stylesheet href=/private.css><script src=https://private.example/x.js></script>";
    for cache in ["private", "max-age=60"] {
        let server = Server::start(
            |b| b,
            &[("/", Answer::html(page).with(header::CACHE_CONTROL, cache)), ("/private.css", Answer::css("p"))],
        )
        .await;
        for user in ["session=1", "session=2"] {
            browse(&server, "/", &[("cookie", user)]).await;
            Client::connect(&server, Pushes::Refused)
                .await
                .send(Method::GET, "/private.css", &[("cookie", user)])
                .await;
        }
        read(&server, 1).await;
        server.put("/", Answer::html("<p>Please log in").with(header::CACHE_CONTROL, cache));
        for _ in 0..3 {
            let reply = browse(&server, "/", &[]).await;
            assert!(reply.hints.is_empty() && reply.links().is_empty(), "{reply:?}");
        }
    }
}

#[tokio::test]
async fn a_page_for_users_gives_strangers_no_103() {
    let private = |body: &str| Answer::html(body).with(header::CACHE_CONTROL, "private");
    let server = Server::start(|b| b, &[("/", private("<p>yours")), ("/a.css", Answer::css("a"))]).await;
    let visit = async |cookie: &str| {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        client.send(Method::GET, "/", &[("cookie", cookie)]).await;
        let referer = format!("http://{}/", server.address);
        client.send(Method::GET, "/a.css", &[("referer", &referer), ("cookie", cookie)]).await;
    };
    for _ in 0..3 {
        visit("session=1").await;
    }
    server.headstart.finish();
    assert!(browse(&server, "/", &[]).await.hints.is_empty(), "it will be sent to a login");
    assert_eq!(targets(hints(&browse(&server, "/", &[("cookie", "session=1")]).await)), ["/a.css"]);
}

#[tokio::test]
async fn what_a_page_names_no_longer_is_not_sent() {
    let page = "<link rel=stylesheet href=/a.css><script src=/b.js></script>";
    let pages = [("/", Answer::html(page)), ("/a.css", Answer::css("a")), ("/b.js", Answer::js("b"))];
    let server = Server::start(|b| b, &pages).await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    read(&server, 1).await;
    server.put("/", Answer::html("<link rel=stylesheet href=/a.css><p>a redesign without scripts"));
    // The first view shows that the page is another, and the next one is read.
    for _ in 0..2 {
        assert_eq!(targets(hints(&browse(&server, "/", &[]).await)), ["/a.css", "/b.js"]);
    }
    read(&server, 2).await;
    assert_eq!(targets(hints(&browse(&server, "/", &[]).await)), ["/a.css"]);
}

#[tokio::test]
async fn other_origins_are_connected_to() {
    let page =
        "<script src=https://cdn.example/x.js></script><link rel=preconnect href=https://fonts.example crossorigin>";
    let server = Server::start(|b| b, &[("/", Answer::html(page))]).await;
    browse(&server, "/", &[]).await;
    read(&server, 1).await;
    let expected = ["<https://cdn.example>; rel=preconnect", "<https://fonts.example>; rel=preconnect; crossorigin"];
    let reply = browse(&server, "/", &[]).await;
    assert_eq!(
        (hints(&reply), &reply.links()[..]),
        (&expected.map(str::to_owned)[..], &expected.map(str::to_owned)[..])
    );
    assert_eq!(browse(&server, "/", &[CHROMIUM]).await.links().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_goes_out_as_it_is() {
    let bomb = "<div>".repeat(70_000);
    let attributes = format!("<img {}>", "a ".repeat(100_000));
    let broken = "<link rel=stylesheet href=/a.css".to_owned();
    let server = Server::start(|b| b, &[]).await;
    let mut pages = 0;
    for body in [bomb, attributes, broken] {
        for coding in [None, Some("gzip"), Some("br"), Some("zstd"), Some("made-up")] {
            let mut answer = Answer::html(&body);
            if let Some(coding) = coding {
                answer = answer.with(header::CONTENT_ENCODING, coding);
            }
            let path = format!("/{}/{}", body.len(), coding.unwrap_or("plain"));
            server.put(&path, answer);
            let reply = browse(&server, &path, &[]).await;
            assert_eq!(reply.body, body, "{path}");
            pages += u64::from(coding != Some("made-up"));
            read(&server, pages).await;
        }
    }
    let reading = server.headstart.stats().reading;
    assert_eq!((reading.read, reading.dropped), (pages, 0));
    assert_eq!(reading.ended_early, pages - 1, "all but the broken one, which a browser reads too");
}

#[tokio::test]
async fn without_reading_nothing_is_copied() {
    let server = Server::start(|b| b.markup(|markup| markup.read = false), &[("/", Answer::html("<p>x"))]).await;
    browse(&server, "/", &[]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.headstart.stats().reading.read, 0);
}

/// Returning visitors of a page with an ETag.
#[tokio::test]
async fn conditional_navigations_get_a_103_and_a_304_no_link() {
    let server = Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))]).await;
    server.teach("/", &["/a.css"]).await;
    let reply = browse(&server, "/", &[("if-none-match", "\"x\"")]).await;
    assert_eq!(targets(hints(&reply)), ["/a.css"]);
    assert!(reply.body.is_empty() && reply.links().is_empty(), "{reply:?}");
}

#[tokio::test]
async fn a_forced_reload_gets_what_its_cookie_contains() {
    let server = Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", Answer::css("a"))]).await;
    server.teach("/", &["/a.css"]).await;
    let mut client = Client::connect(&server, Pushes::Refused).await;
    assert_eq!(targets(hints(&client.send(Method::GET, "/", &BROWSER).await)), ["/a.css"]);
    assert!(client.send(Method::GET, "/", &BROWSER).await.hints.is_empty(), "its cookie says that it holds it");
    let reload = [&BROWSER[..], &[("cache-control", "no-cache")]].concat();
    assert_eq!(targets(hints(&client.send(Method::GET, "/", &reload).await)), ["/a.css"]);
}

#[tokio::test]
async fn behind_a_shared_edge_everyone_is_told_everything() {
    let pages = [("/", Answer::html("page")), ("/a.css", Answer::css("a"))];
    let server = Server::start(|b| b.holdout(1).shared_edge(true), &pages).await;
    server.teach("/", &["/a.css"]).await;
    for _ in 0..2 {
        let mut client = Client::connect(&server, Pushes::Refused).await;
        for _ in 0..2 {
            let reply = client.send(Method::GET, "/", &[&BROWSER[..], &[CHROMIUM]].concat()).await;
            assert_eq!((targets(hints(&reply)), targets(&reply.links())), (vec!["/a.css"], vec!["/a.css"]));
            assert!(!reply.headers.contains_key(header::SET_COOKIE));
        }
    }
}

/// A digest of one URL, made by cache-digest.js's rule: N = 1, P = 128.
#[tokio::test]
async fn a_cache_digest_is_subtracted() {
    let server =
        Server::start(|b| b, &[("/", Answer::html("page")), ("/a.css", Answer::css("a")), ("/b.js", Answer::js("b"))])
            .await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    let mut digest = headstart::gcs::Builder::new(headstart::gcs::CacheDigest::new(7));
    digest.insert(format!("http://{}/a.css", server.address).as_bytes());
    let field = format!("{}; complete", headstart::gcs::to_base64url(&digest.finish()));
    let reply = browse(&server, "/", &[("cache-digest", &field)]).await;
    assert_eq!(targets(hints(&reply)), ["/b.js"]);
    assert_eq!(targets(hints(&browse(&server, "/", &[("cache-digest", "!!!")]).await)), ["/a.css", "/b.js"]);
}
