//! Upstreams that fail: the right status, no clean end of what broke off, the next request unharmed, all counted.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::net::TcpListener;

use super::kit::{Act, Front, Upstream, address, answer, ok};
use crate::Config;
use crate::error::Fault;

/// The behaviour of the broken upstream, by path.
fn script(path: &str) -> Act {
    match path {
        "/dies-before-head" => Act::SayAndClose(Vec::new()),
        "/dies-in-head" => Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        "/garbage" => Act::SayAndClose(b"\x16\x03\x01 this is not HTTP\r\n\r\n".to_vec()),
        "/old" => Act::SayAndClose(b"<html>HTTP/0.9</html>".to_vec()),
        "/bad-length" => Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n".to_vec()),
        "/two-lengths" => {
            Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_vec())
        }
        "/uninvited-101" => Act::SayAndHang(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_vec()),
        "/bomb" => Act::SayAndClose(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes()),
        "/many-fields" => Act::SayAndClose(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(5000)).into_bytes()),
        "/hangs" => Act::SayAndHang(Vec::new()),
        "/hangs-in-head" => Act::SayAndHang(b"HTTP/1.1 200".to_vec()),
        "/only-interim" => Act::SayAndHang(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()),
        "/dies-in-body" => Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec()),
        "/dies-in-chunk" => {
            Act::SayAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n01234".to_vec())
        }
        "/dies-between-chunks" => {
            Act::SayAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n".to_vec())
        }
        "/bad-chunk" => Act::SayAndClose(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n".to_vec()),
        "/stalls" => Act::SayAndHang(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789".to_vec()),
        "/slow" => Act::Trickle(answer("200 OK", "", "slow but whole")),
        "/more" => Act::Say([answer("200 OK", "", "ok"), b"HTTP/1.1 200 OK\r\n\r\nstray".to_vec()].concat()),
        _ => ok(),
    }
}

/// Path, status, whether the body comes to an end, and what is counted.
const CASES: [(&str, u16, bool, Option<Fault>); 19] = [
    ("/dies-before-head", 502, true, Some(Fault::Closed)),
    ("/dies-in-head", 502, true, Some(Fault::Closed)),
    ("/garbage", 502, true, Some(Fault::Malformed)),
    ("/old", 502, true, Some(Fault::Malformed)),
    ("/bad-length", 502, true, Some(Fault::Malformed)),
    ("/two-lengths", 502, true, Some(Fault::Malformed)),
    ("/uninvited-101", 502, true, Some(Fault::Malformed)),
    ("/bomb", 502, true, Some(Fault::HeadTooLarge)),
    ("/many-fields", 502, true, Some(Fault::HeadTooLarge)),
    ("/hangs", 504, true, Some(Fault::HeadTimeout)),
    ("/hangs-in-head", 504, true, Some(Fault::HeadTimeout)),
    ("/only-interim", 504, true, Some(Fault::HeadTimeout)),
    ("/dies-in-body", 200, false, Some(Fault::BodyBroken)),
    ("/dies-in-chunk", 200, false, Some(Fault::BodyBroken)),
    ("/dies-between-chunks", 200, false, Some(Fault::BodyBroken)),
    ("/bad-chunk", 200, false, Some(Fault::BodyBroken)),
    ("/stalls", 200, false, Some(Fault::BodyTimeout)),
    ("/slow", 200, true, None),
    ("/more", 200, true, None),
];

#[tokio::test]
async fn each_failure_has_its_status_and_harms_nobody_else() {
    let upstream = Upstream::start(script).await;
    for version in [1, 2] {
        let front = Front::before(&upstream, |config| config.health.max_failures = 0).await;
        for (path, status, whole, fault) in CASES {
            let before = fault.map(|fault| front.faults(fault));
            let (found, body) = front.get(version, path).await;
            // A response that breaks off at once may lose its head too, which was not sent yet.
            let expected = if found == 0 && !whole { 0 } else { status };
            assert_eq!((found, body.is_some()), (expected, whole), "{path} over HTTP/{version}: {body:?}");
            if let (Some(fault), Some(before)) = (fault, before) {
                assert!(front.faults(fault) > before, "{path}: {fault:?} is not counted");
            }
            assert_eq!(front.get(version, "/ok").await, (200, Some("ok".into())), "after {path} over HTTP/{version}");
        }
        assert_eq!(front.proxy.stats().open, 0);
    }
}

#[tokio::test]
async fn nobody_there_is_502_and_nobody_answering_is_504() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let front = Front::start(Config::new(vec![format!("http://{gone}").parse().unwrap()])).await;
    assert_eq!(front.get(1, "/").await.0, 502);
    assert_eq!(front.faults(Fault::Refused), 1);

    // A queue of one, which is full: further connections are not answered.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let connect = || tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(address));
    let mut held = Vec::new();
    while let Ok(Ok(socket)) = connect().await {
        held.push(socket);
    }
    let mut config = Config::new(vec![format!("http://{address}").parse().unwrap()]);
    config.timeouts.connect = Duration::from_millis(200);
    let front = Front::start(config).await;
    assert_eq!(front.get(2, "/").await.0, 504);
    assert_eq!(front.faults(Fault::ConnectTimeout), 1);
}

#[tokio::test]
async fn what_may_be_repeated_goes_to_the_next_server() {
    let bad = Upstream::start(|_| Act::SayAndClose(Vec::new())).await;
    let good = Upstream::start(|_| ok()).await;
    let mut config = Config::new(vec![address(&bad), address(&good)]);
    config.health.max_failures = 0;
    let front = Front::start(config).await;
    for _ in 0..4 {
        assert_eq!(front.get(1, "/").await, (200, Some("ok".into())));
    }
    let retries = front.proxy.stats().retries;
    assert!((1..=4).contains(&retries), "{retries}");
    // One with content is sent once.
    bad.forget();
    let post = || Request::post("/").header("host", "a").body(Full::new(Bytes::from_static(b"x"))).unwrap();
    let mut statuses = vec![front.http1(post()).await.0, front.http1(post()).await.0];
    statuses.sort_unstable();
    assert_eq!((statuses, bad.heads().len()), (vec![200, 502], 1));
    // So is one that is not idempotent, with content or without.
    bad.forget();
    let post = || Request::post("/").header("host", "a").body(Full::default()).unwrap();
    let mut statuses = vec![front.http1(post()).await.0, front.http1(post()).await.0];
    statuses.sort_unstable();
    assert_eq!((statuses, bad.heads().len()), (vec![200, 502], 1));
}

#[tokio::test]
async fn a_server_that_fails_is_left_out_and_tried_again() {
    let bad = Upstream::start(|_| Act::SayAndClose(Vec::new())).await;
    let good = Upstream::start(|_| ok()).await;
    let mut config = Config::new(vec![address(&bad), address(&good)]);
    config.health.max_failures = 2;
    config.health.aside = Duration::from_millis(400);
    let front = Front::start(config).await;
    for _ in 0..10 {
        assert_eq!(front.get(1, "/").await.0, 200);
    }
    assert_eq!(bad.heads().len(), 2);
    assert!(!front.proxy.stats().servers[0].healthy);
    tokio::time::sleep(Duration::from_millis(450)).await;
    for _ in 0..10 {
        assert_eq!(front.get(1, "/").await.0, 200);
    }
    assert_eq!(bad.heads().len(), 3, "one more try");
}

#[tokio::test]
async fn a_page_that_one_client_asks_for_again_and_again_is_one_failure() {
    let script = |path: &str| match path {
        "/malformed" => Act::SayAndClose(b"HTTP/1.1 two hundred\r\n\r\n".to_vec()),
        "/slow" => Act::SayAndHang(Vec::new()),
        _ => ok(),
    };
    let first = Upstream::start(script).await;
    let second = Upstream::start(script).await;
    let mut config = Config::new(vec![address(&first), address(&second)]);
    config.timeouts.head = Duration::from_millis(50);
    config.health.max_failures = 2;
    let front = Front::start(config).await;
    for path in ["/malformed", "/slow"].repeat(4) {
        assert!(front.get(1, path).await.0 >= 500);
    }
    let servers = front.proxy.stats().servers;
    assert!(servers.iter().all(|server| server.healthy && server.failures > 1), "{servers:?}");
}

#[tokio::test]
async fn probes_find_out_who_is_well() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let well = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&well);
    let sick = Upstream::start(move |path| match path {
        "/health" if !state.load(Ordering::Relaxed) => Act::Say(answer("503 Service Unavailable", "", "")),
        _ => ok(),
    })
    .await;
    let good = Upstream::start(|_| ok()).await;
    let mut config = Config::new(vec![address(&sick), address(&good)]);
    let every = Duration::from_millis(20);
    config.health.probe = Some(crate::Probe { path: "/health".into(), every, ..Default::default() });
    let front = Front::start(config).await;
    let healthy = |expected| {
        let front = &front;
        async move {
            while front.proxy.stats().servers[0].healthy != expected {
                tokio::time::sleep(every).await;
            }
        }
    };
    tokio::time::timeout(super::kit::PATIENCE, healthy(false)).await.unwrap();
    sick.forget();
    for _ in 0..4 {
        assert_eq!(front.get(1, "/page").await.0, 200);
    }
    assert!(!sick.heads().iter().any(|head| head.starts_with("GET /page")));
    well.store(true, Ordering::Relaxed);
    tokio::time::timeout(super::kit::PATIENCE, healthy(true)).await.unwrap();
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let upstream = Upstream::start(script).await;
    let front = Front::before(&upstream, |config| config.limits.max_in_flight = 1).await;
    let (hanging, waiting) = tokio::join!(front.get(1, "/hangs"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        front.get(1, "/ok").await
    });
    assert_eq!((hanging.0, waiting.0), (504, 200), "who comes later waits for a while");
    let front = Front::before(&upstream, |config| {
        config.limits.max_in_flight = 1;
        config.timeouts.head = Duration::from_secs(4);
    })
    .await;
    let (hanging, refused) = tokio::join!(front.get(1, "/hangs"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        front.get(2, "/ok").await
    });
    assert_eq!((hanging.0, refused.0), (504, 503));
    assert_eq!(front.get(1, "/ok").await.0, 200);
    assert_eq!(front.faults(Fault::Full), 1);
}
