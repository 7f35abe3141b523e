//! Tokens on pages, and beacons that come back.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use headstart::{BEACON_SCRIPT, BEACON_SCRIPT_PATH, BeaconRefusal, BeaconReport, Builder, Event};
use http::{HeaderMap, Method, header};

use crate::kit::{Answer, BROWSER, Client, Pushes, Server};

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Beacons that were told to observers.
type Told = Arc<Mutex<Vec<BeaconReport>>>;

async fn taught(settings: impl FnOnce(Builder) -> Builder) -> (Server, Told) {
    let told = Told::default();
    let tell = Arc::clone(&told);
    let server = Server::start(
        |builder| {
            settings(builder.beacon(true)).on_event(move |event| {
                if let Event::Beacon(report) = event {
                    tell.lock().unwrap().push(report.clone());
                }
            })
        },
        &[("/", Answer::html("page")), ("/a.css", Answer::css("a")), ("/b.js", Answer::js("b"))],
    )
    .await;
    server.teach("/", &["/a.css", "/b.js"]).await;
    (server, told)
}

/// The token of a view and how many assets it names; `None` if the page has none.
async fn token(server: &Server, fields: &[(&str, &str)]) -> Option<(String, usize)> {
    let mut client = Client::connect(server, Pushes::Refused).await;
    let reply = client.send(Method::GET, "/", &[&BROWSER[..], fields].concat()).await;
    let field = reply.headers.get("server-timing")?.to_str().unwrap().to_owned();
    let parts = field.strip_prefix("headstart;desc=\"")?.strip_suffix('"')?;
    let mut parts = parts.split('.').map(str::to_owned);
    Some((parts.next()?, parts.count()))
}

fn send(server: &Server, body: &str) -> Result<(), BeaconRefusal> {
    server.headstart.take_beacon(LOCAL, &server.address.to_string(), &HeaderMap::new(), body.as_bytes())
}

#[tokio::test]
async fn a_view_has_a_token_that_counts_once() {
    let (server, told) = taught(|builder| builder).await;
    let (token, hinted) = token(&server, &[]).await.expect("a token");
    assert_eq!(hinted, 2);
    let learned = server.headstart.learner().stats();
    let body = format!("v=1&t={token}&lcp=1200&rtt=1&used=10");
    assert_eq!(send(&server, &body), Ok(()));
    assert_eq!(send(&server, &body), Err(BeaconRefusal::Replayed));
    assert_eq!(send(&server, "v=1&t=AAAA&lcp=1"), Err(BeaconRefusal::Forged));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].hinted, &told[0].used[..]), (2, &[true, false][..]));
    assert!(!told[0].held_out && told[0].largest_contentful_paint.is_some());
    assert_eq!(server.headstart.learner().stats().learned, learned.learned, "nothing is learned from it");
    assert_eq!(server.headstart.beacon_stats().taken, 1);
}

#[tokio::test]
async fn who_is_not_to_be_measured_gets_no_token() {
    let (server, _) = taught(|builder| builder).await;
    assert!(token(&server, &[("sec-gpc", "1")]).await.is_none());
    assert!(token(&server, &[("dnt", "1")]).await.is_none());
    assert!(token(&server, &[]).await.is_some());
    // What a shared cache keeps would give one token to all.
    for (field, given) in [("public, max-age=60", false), ("no-cache", true), ("private, max-age=9", true)] {
        server.put("/", Answer::html("page").with(header::CACHE_CONTROL, field));
        assert_eq!(token(&server, &[]).await.is_some(), given, "{field}");
    }
}

#[tokio::test]
async fn without_the_setting_there_is_neither_token_nor_figure() {
    let (server, told) = taught(|builder| builder.beacon(false)).await;
    assert!(token(&server, &[]).await.is_none());
    assert_eq!(send(&server, "v=1"), Err(BeaconRefusal::Off));
    assert_eq!(server.headstart.admit_beacon(LOCAL), Err(BeaconRefusal::Off));
    assert!(told.lock().unwrap().is_empty());
}

/// A hold-out's token says so, though it names nothing.
#[tokio::test]
async fn the_token_of_a_hold_out_says_so() {
    let (server, told) = taught(|builder| builder.holdout(1)).await;
    let (token, hinted) = token(&server, &[]).await.expect("a token");
    assert_eq!(hinted, 0);
    assert_eq!(send(&server, &format!("v=1&t={token}&lcp=1200&used=")), Ok(()));
    assert!(told.lock().unwrap()[0].held_out);
}

/// The script of the measurement is none of the page's assets.
#[tokio::test]
async fn the_script_is_not_learned() {
    let (server, _) = taught(|builder| builder).await;
    server.put(BEACON_SCRIPT_PATH, Answer::js(BEACON_SCRIPT));
    server.teach("/", &["/a.css", BEACON_SCRIPT_PATH]).await;
    let explanation = server.headstart.explain(&server.address.to_string(), "/").expect("a page");
    assert!(explanation.assets.iter().all(|asset| !asset.path.contains("headstart")), "{explanation:?}");
}
