//! The response cache: one request to the upstream for many clients, and what is shown when it is stale.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use http_body_util::Full;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::kit::{Act, Front, PATIENCE, Upstream, answer};

const CSS: &str = "Content-Type: text/css\r\nCache-Control: max-age=60\r\nETag: \"1\"\r\n";
const MANY: usize = 20;

/// An upstream that says this, each time once it is allowed to.
async fn held_back(said: Vec<u8>) -> (Upstream, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let taken = Arc::clone(&permits);
    let upstream = Upstream::start(move |_| Act::SayWhen(Arc::clone(&taken), said.clone())).await;
    (upstream, permits)
}

async fn arrived(front: &Front, requests: u64) {
    let all = async {
        while front.proxy.stats().requests < requests {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, all).await.unwrap();
}

fn get(path: &str, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::get(path).header("host", "a.example");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn many_ask_and_the_upstream_is_asked_once() {
    let (upstream, permits) = held_back(answer("200 OK", CSS, "p{}")).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let clients = join_all((0..MANY).map(|number| front.get(1 + (number % 2) as u8, "/a.css")));
    let release = async {
        arrived(&front, MANY as u64).await;
        permits.add_permits(MANY);
    };
    let (answers, ()) = tokio::join!(clients, release);
    assert!(answers.iter().all(|answer| *answer == (200, Some("p{}".into()))), "{answers:?}");
    assert_eq!(upstream.heads().len(), 1);
    let stats = front.proxy.stats();
    assert_eq!((stats.cache_hits, stats.cache_misses), (MANY as u64 - 1, 1));
}

#[tokio::test]
async fn each_variant_is_asked_for_once() {
    let css = answer("200 OK", &format!("{CSS}Vary: Accept-Encoding\r\n"), "p{}");
    let (upstream, permits) = held_back(css).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let coding = |number: usize| if number.is_multiple_of(2) { "br" } else { "gzip" };
    let clients = join_all((0..MANY).map(|number| front.http2(get("/a.css", &[("accept-encoding", coding(number))]))));
    let release = async {
        arrived(&front, MANY as u64).await;
        permits.add_permits(MANY);
    };
    let (answers, ()) = tokio::join!(clients, release);
    assert!(answers.iter().all(|answer| *answer == (200, Some("p{}".into()))), "{answers:?}");
    assert_eq!(upstream.heads().len(), 2);
}

#[tokio::test]
async fn what_is_for_one_client_is_not_waited_for_twice() {
    let own = "Content-Type: text/css\r\nCache-Control: private, max-age=60\r\n";
    let (upstream, permits) = held_back(answer("200 OK", own, "p{}")).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let clients = || join_all((0..MANY).map(|_| front.get(2, "/me.css")));
    let release = async {
        arrived(&front, MANY as u64).await;
        upstream.asked(1).await;
        assert_eq!(upstream.heads().len(), 1);
        permits.add_permits(1);
        // Nobody waits for anybody any more.
        upstream.asked(MANY).await;
        permits.add_permits(MANY - 1);
    };
    let (answers, ()) = tokio::join!(clients(), release);
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    upstream.forget();
    let release = async {
        upstream.asked(MANY).await;
        permits.add_permits(MANY);
    };
    let (answers, ()) = tokio::join!(clients(), release);
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
}

#[tokio::test]
async fn who_may_not_share_does_not_wait() {
    let (upstream, permits) = held_back(answer("200 OK", CSS, "p{}")).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let fields: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "x")],
        &[("range", "bytes=0-1")],
        &[("cache-control", "no-cache")],
        &[("sec-fetch-dest", "document")],
    ];
    let clients = join_all(fields.iter().map(|fields| front.http2(get("/a.css", fields))));
    let release = async {
        upstream.asked(fields.len()).await;
        permits.add_permits(fields.len());
    };
    let (answers, ()) = tokio::join!(clients, release);
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
}

#[tokio::test]
async fn a_failure_is_shared_by_nobody() {
    let answered = [answer("500 Internal Server Error", "", "no"), b"no HTTP at all\r\n\r\n".to_vec()];
    for (said, status) in answered.into_iter().zip([500, 502]) {
        let (upstream, permits) = held_back(said).await;
        let front = Front::before(&upstream, |config| {
            config.timeouts.head = PATIENCE;
            config.health.max_failures = 0;
            config.limits.retries = 0;
        })
        .await;
        let clients = join_all((0..MANY).map(|_| front.get(2, "/a.css")));
        let release = async {
            arrived(&front, MANY as u64).await;
            permits.add_permits(1);
            upstream.asked(MANY).await;
            permits.add_permits(MANY - 1);
        };
        let (answers, ()) = tokio::join!(clients, release);
        assert!(answers.iter().all(|(found, _)| *found == status), "{answers:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_or_does_not_read_holds_nobody_up() {
    let large = "x".repeat(900_000);
    let (upstream, permits) = held_back(answer("200 OK", CSS, &large)).await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let asks = b"GET /a.css HTTP/1.1\r\nHost: a.example\r\n\r\n";

    let mut leaves = TcpStream::connect(front.address).await.unwrap();
    leaves.write_all(asks).await.unwrap();
    upstream.asked(1).await;
    let release = async {
        arrived(&front, 2).await;
        drop(leaves);
        upstream.asked(2).await;
        permits.add_permits(2);
    };
    let (found, ()) = tokio::join!(front.get(2, "/a.css"), release);
    assert_eq!(found, (200, Some(large.clone())), "another one asks");

    let other = b"GET /b.css HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let mut reads_nothing = TcpStream::connect(front.address).await.unwrap();
    reads_nothing.write_all(other).await.unwrap();
    upstream.asked(3).await;
    permits.add_permits(1);
    assert_eq!(front.get(2, "/b.css").await, (200, Some(large)));
    assert_eq!(upstream.heads().len(), 3);
}

#[tokio::test]
async fn what_is_too_large_is_passed_on_to_each() {
    let large = "x".repeat(1_500_000);
    // Its length is not said before.
    let said =
        format!("HTTP/1.1 200 OK\r\n{CSS}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let upstream = Upstream::start(move |_| Act::Say(said.clone().into_bytes())).await;
    let front = Front::before(&upstream, |_| ()).await;
    let answers = join_all((0..3).map(|_| front.get(2, "/a.css"))).await;
    assert!(answers.iter().all(|answer| *answer == (200, Some(large.clone()))));
    assert_eq!(upstream.heads().len(), 3);
}

#[tokio::test]
async fn what_is_stale_is_validated() {
    let (css, unchanged) =
        (answer("200 OK", CSS, "p{}"), b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nX-New: 1\r\n\r\n");
    let times = AtomicUsize::new(0);
    let upstream = Upstream::start(move |_| match times.fetch_add(1, Ordering::Relaxed) {
        0 => Act::Say(css.clone()),
        _ => Act::Say(unchanged.to_vec()),
    })
    .await;
    let front = Front::before(&upstream, |_| ()).await;
    assert_eq!(front.get(2, "/a.css").await.0, 200);
    front.cache.later(Duration::from_secs(61));
    let unchanged_there = front.raw(b"GET /a.css HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"1\"\r\n\r\n").await;
    assert!(unchanged_there.starts_with("HTTP/1.1 304 "), "{unchanged_there}");
    assert!(unchanged_there.contains("x-new: 1\r\n"), "{unchanged_there}");
    assert_eq!(front.get(2, "/a.css").await, (200, Some("p{}".into())));
    assert_eq!(upstream.heads().len(), 2, "it is fresh again");
    front.cache.later(Duration::from_secs(61));
    let other = front.raw(b"GET /a.css HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"0\"\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 200 ") && other.ends_with("p{}"), "{other}");
    let heads = upstream.heads();
    assert!(
        heads[1].contains("if-none-match: \"1\"\r\n") && heads[2].contains("if-none-match: \"1\"\r\n"),
        "{heads:?}"
    );
    let head = front.raw(b"HEAD /a.css HTTP/1.1\r\nHost: a.example\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("content-length: 3\r\n") && head.ends_with("\r\n\r\n"));
    assert_eq!(upstream.heads().len(), 3);
}

#[tokio::test]
async fn what_is_stale_is_shown_while_it_is_asked_for_and_instead_of_an_error() {
    let fields =
        "Content-Type: text/css\r\nCache-Control: max-age=60, stale-while-revalidate=60, stale-if-error=600\r\n";
    let permits = Arc::new(Semaphore::new(1));
    let (taken, times) = (Arc::clone(&permits), AtomicUsize::new(0));
    let upstream = Upstream::start(move |_| {
        let time = times.fetch_add(1, Ordering::Relaxed);
        let said = match time {
            0 | 1 => answer("200 OK", fields, &format!("p{{}}{time}")),
            _ => answer("503 Service Unavailable", "", "no"),
        };
        Act::SayWhen(Arc::clone(&taken), said)
    })
    .await;
    let front = Front::before(&upstream, |config| config.timeouts.head = PATIENCE).await;
    let (first, second) = ((200, Some("p{}0".to_owned())), (200, Some("p{}1".to_owned())));
    assert_eq!(front.get(2, "/a.css").await, first);
    front.cache.later(Duration::from_secs(90));
    for _ in 0..5 {
        assert_eq!(front.get(2, "/a.css").await, first);
    }
    upstream.asked(2).await;
    assert_eq!(upstream.heads().len(), 2, "one asks for all");
    permits.add_permits(1);
    let renewed = async { while front.get(2, "/a.css").await != second {} };
    timeout(PATIENCE, renewed).await.unwrap();
    front.cache.later(Duration::from_secs(300));
    permits.add_permits(10);
    assert_eq!(front.get(2, "/a.css").await, second, "the upstream fails");
    assert_eq!(upstream.heads().len(), 3);
    front.cache.later(Duration::from_secs(600));
    assert_eq!(front.get(2, "/a.css").await.0, 503);
}
