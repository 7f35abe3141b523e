//! Clients that ask, or are pushed to, and open no window.

use std::time::Duration;

use headstart_h2::Timeout;
use tokio::time::Instant;

use crate::server::Script;
use testkit::frames::{self, CANCEL, INITIAL_WINDOW_SIZE, get, window};

const BIG_PIPE: usize = 1 << 22;

fn pushing(count: usize) -> Script {
    Script::new().push("/bytes/10", (0..count).map(|n| format!("/noted/16000/{n}")))
}

/// The body of a push is opened when there is a byte of it to send, and not before.
#[tokio::test(start_paused = true)]
async fn a_push_without_window_is_not_opened() {
    let mut server = pushing(12).start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    server.peer.send([get(1, "/bytes/10"), window(1, 100)].concat()).await;
    server.peer.trace().await;
    let opened = |server: &crate::server::Running<_>| {
        server.log.lines().iter().filter(|line| line.starts_with("opened ")).count()
    };
    assert_eq!((server.peer.promised().len(), server.peer.bytes(1), opened(&server)), (12, 10, 0));
    server.peer.send([window(4, 1), window(8, 16_000)].concat()).await;
    server.peer.trace().await;
    assert_eq!((server.peer.bytes(4), server.peer.bytes(8), opened(&server)), (1, 16_000, 2));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The same for a page, also when the window is taken away before anything was sent.
#[tokio::test(start_paused = true)]
async fn nor_is_a_page() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    server.peer.send([get(1, "/noted/100"), get(3, "/noted/200")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, HEADERS 3 200");
    assert_eq!(server.log.count("opened /noted/100") + server.log.count("opened /noted/200"), 0);
    server.peer.send(frames::settings(&[(INITIAL_WINDOW_SIZE, 150)])).await;
    assert_eq!(server.peer.trace().await, "DATA 1 100 end, DATA 3 150");
    server.peer.send(window(3, 50)).await;
    assert_eq!(server.peer.trace().await, "DATA 3 50 end");
    server.hang_up().await.0.unwrap();
}

/// The client takes its page and leaves its pushes: they are taken back, and it gets no more.
#[tokio::test(start_paused = true)]
async fn pushes_that_get_no_window_are_reset() {
    let mut server = pushing(10).push("/bytes/11", ["/bytes/20"]).start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    server.peer.send([get(1, "/bytes/10"), window(1, 100), get(3, "/trickle/1000"), window(3, 1 << 20)].concat()).await;
    for _ in 0..32 {
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    server.peer.trace().await;
    let resets: Vec<_> = server.peer.promised().iter().flat_map(|push| server.peer.resets(*push)).collect();
    assert_eq!(resets, [CANCEL; 10]);
    assert_eq!(server.log.lines().iter().filter(|line| line.starts_with("Unfinished ")).count(), 10);
    server.peer.send([get(5, "/bytes/11"), window(5, 100)].concat()).await;
    server.peer.trace().await;
    server.log.assert_has("request /bytes/11 push=false");
    assert!(server.peer.ended(1) && server.peer.ended(5) && server.peer.bytes(3) > 30_000);
    server.peer.assert_well().await;
}

/// Nor does one stream that moves keep a hundred others.
#[tokio::test(start_paused = true)]
async fn streams_that_get_no_window_are_reset() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 500)]).await;
    let began = Instant::now();
    let asked: Vec<u8> = (0..100).flat_map(|n| get(2 * n + 1, "/bytes/20000")).collect();
    server.peer.send([asked, get(201, "/trickle/1000"), window(201, 1 << 20), window(0, 1 << 20)].concat()).await;
    while server.log.lines().iter().filter(|line| *line == "ended /bytes/20000 false").count() < 100 {
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(began.elapsed().as_secs(), 30);
    server.peer.trace().await;
    assert!((0..100).all(|n| server.peer.bytes(2 * n + 1) == 500 && server.peer.resets(2 * n + 1) == [CANCEL]));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Where nothing moves the connection goes, pushes and all.
#[tokio::test(start_paused = true)]
async fn a_connection_that_stands_still_is_dropped() {
    let mut server = pushing(32).start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let asked: Vec<u8> = (0..100).flat_map(|n| get(2 * n + 1, "/bytes/10")).collect();
    let began = Instant::now();
    server.peer.send(asked).await;
    server.peer.trace().await;
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert_eq!((error.timer(), began.elapsed().as_secs()), (Some(Timeout::WriteStall), 30));
    server.log.assert_balanced();
}

/// Less than a kilobyte in thirty seconds is nothing, on a stream or the whole connection.
#[tokio::test(start_paused = true)]
async fn a_window_in_drops_is_none() {
    for (bytes, lives) in [(50, false), (500, true)] {
        let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        server.peer.send([get(1, "/bytes/20000"), get(3, "/trickle/1000"), window(3, 1 << 20)].concat()).await;
        for _ in 0..20 {
            server.peer.send([window(1, bytes), window(0, 10_000)].concat()).await;
            server.peer.trace().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(server.peer.resets(1).is_empty(), lives, "{bytes} bytes each 5 s");
        server.peer.assert_well().await;

        let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
        server.peer.send(get(1, "/bytes/90000")).await;
        for _ in 0..20 {
            server.peer.try_send(window(0, bytes)).await;
            server.peer.trace().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(server.peer.closed, !lives, "{bytes} bytes each 5 s, for all streams");
        if !lives {
            assert_eq!(server.task.await.unwrap().unwrap_err().timer(), Some(Timeout::WriteStall));
        }
    }
}

/// Nor is one to blame that has window while the connection has none.
#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_the_connections_window_is_left_alone() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 100)]).await;
    server.peer.send(frames::request(1, "GET", "/bytes/50000", &[("priority", "u=7")], true)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 100");
    server.peer.send([get(3, "/bytes/900000"), window(3, 1 << 20), window(1, 60_000)].concat()).await;
    for _ in 0..2 {
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        server.peer.send(window(0, 1100)).await;
    }
    server.peer.trace().await;
    assert_eq!((server.peer.bytes(1), server.peer.resets(1)), (100, vec![]));
    server.peer.send(window(0, 1 << 20)).await;
    server.peer.trace().await;
    assert!(server.peer.ended(1) && server.peer.ended(3));
}

/// A stream whose turn does not come is not one without window.
#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_its_turn_is_left_alone() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    let last = frames::request(3, "GET", "/bytes/50000", &[("priority", "u=7")], true);
    server.peer.send([get(1, "/bytes/9000000"), last].concat()).await;
    for _ in 0..40 {
        server.peer.trace().await;
        server.peer.send([window(0, 2000), window(1, 2000)].concat()).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(server.peer.resets(3).is_empty() && server.peer.resets(1).is_empty());
    server.peer.assert_well().await;
}
