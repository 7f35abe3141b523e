//! When a push is made, what it may not disturb, and what is told of it.

use std::time::Duration;

use headstart_h2::Timeout;
use tokio::time::Instant;

use crate::server::Script;
use testkit::frames::{self, CANCEL, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS};
use testkit::frames::{get, goaway, request, rst, settings, window};

const BIG_PIPE: usize = 1 << 22;

#[tokio::test(start_paused = true)]
async fn settings_may_flip() {
    let script = Script::new().push("/bytes/10", ["/bytes/20"]).config(|config| config.max_diary_entries = 0);
    let mut server = script.start(BIG_PIPE, &[]).await;
    for (round, push) in [1, 0, 1, 0, 0, 1].into_iter().enumerate() {
        server.peer.send(settings(&[(ENABLE_PUSH, push)])).await;
        let before = server.peer.promised().len();
        server.peer.send(get(2 * round as u32 + 1, "/bytes/10")).await;
        server.peer.trace().await;
        assert_eq!(server.peer.promised().len() - before, push as usize, "round {round}");
    }
    server.peer.assert_well().await;
}

/// The flip lies in the socket when the page, asked for before, is answered.
#[tokio::test(start_paused = true)]
async fn settings_may_flip_while_the_page_is_made() {
    let script = Script::new().push("/wait/10/10", ["/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/10/10")).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(settings(&[(ENABLE_PUSH, 0)])).await;
    tokio::time::advance(Duration::from_millis(10)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.log.assert_has("/wait/10/10 Unwanted /bytes/20");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_client_bounds_open_pushes() {
    for (max, promised) in [(0, 0), (1, 1), (2, 2), (5, 5), (100, 5)] {
        let script = Script::new().push("/bytes/10", (0..5).map(|n| format!("/bytes/20000/{n}")));
        let mut server = script.start(BIG_PIPE, &[(MAX_CONCURRENT_STREAMS, max)]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), promised, "max {max}");
        assert!(server.peer.promised().iter().all(|push| server.peer.bytes(*push) == 20_000));
        // They have ended, so there is room again; what was promised is not promised twice.
        server.peer.send(get(3, "/bytes/10")).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), (2 * max as usize).min(5), "max {max}");
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

/// The limit falls below what is open: no more are promised, and what is open goes on.
#[tokio::test(start_paused = true)]
async fn the_client_lowers_its_limit() {
    let script =
        Script::new().push("/bytes/10", (0..3).map(|n| format!("/bytes/40000/{n}"))).push("/bytes/11", ["/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.trace().await;
    server.peer.send([settings(&[(MAX_CONCURRENT_STREAMS, 1)]), get(3, "/bytes/11")].concat()).await;
    server.peer.trace().await;
    assert_eq!(server.peer.promised(), [2, 4, 6]);
    server.log.assert_has("request /bytes/11 push=false");
    server.peer.send([window(0, 100_000), rst(4, CANCEL)].concat()).await;
    server.peer.drink().await;
    assert_eq!((server.peer.bytes(2), server.peer.bytes(6)), (40_000, 40_000));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A push is cancelled at each stage of its life: the page and the other pushes are not disturbed, the window
/// comes back, and the policy is told.
#[tokio::test(start_paused = true)]
async fn a_push_may_be_cancelled_at_any_stage() {
    // (bytes of the push that the client takes before it cancels, what is told)
    let stages: [(usize, &[&str]); 5] = [
        (0, &["Cancelled(Cancel) /bytes/30000"]),
        (1, &["Cancelled(Cancel) /bytes/30000"]),
        (16_384, &["Cancelled(Cancel) /bytes/30000"]),
        (29_999, &["Cancelled(Cancel) /bytes/30000"]),
        (30_000, &["Finished /bytes/30000", "Cancelled(Cancel) /bytes/30000"]),
    ];
    for (taken, told) in stages {
        let script = Script::new().push("/bytes/10000", ["/bytes/30000", "/bytes/30001"]);
        let mut server = script.start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        server.peer.send([get(1, "/bytes/10000"), window(1, 10_000)].concat()).await;
        server.peer.trace().await;
        if taken > 0 {
            server.peer.send(window(2, taken as u32)).await;
            server.peer.trace().await;
        }
        assert_eq!(server.peer.bytes(2), taken);
        server.peer.send([rst(2, CANCEL), rst(2, CANCEL), window(4, 30_001)].concat()).await;
        server.peer.drink().await;
        assert_eq!((server.peer.bytes(1), server.peer.bytes(4)), (10_000, 30_001));
        // All of the connection's window is there but what the client took without returning it.
        server.peer.send([get(3, "/bytes/100000"), window(3, 100_000)].concat()).await;
        server.peer.trace().await;
        assert_eq!(server.peer.bytes(3), 65_535 - 10_000 - taken, "taken {taken}");
        server.peer.assert_well().await;
        let (result, log) = server.hang_up().await;
        result.unwrap();
        let lines = log.lines();
        let of_push: Vec<&String> =
            lines.iter().filter(|line| line.ends_with(") /bytes/30000") || *line == "Finished /bytes/30000").collect();
        assert_eq!(of_push, told, "taken {taken}");
    }
}

/// The page is cancelled when its pushes are under way: they go on, for the client did not cancel them.
#[tokio::test(start_paused = true)]
async fn a_page_cancelled_after_the_promise() {
    let script = Script::new().push("/bytes/100000", ["/bytes/30000"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/100000")).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(2), 0);
    server.peer.send([rst(1, CANCEL), window(0, 65_535)].concat()).await;
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(2), 30_000);
    server.log.assert_has("ended /bytes/100000 false");
    server.log.assert_has("Finished /bytes/30000");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The client leaves when pushes are under way: its page is finished, its pushes are not wanted.
#[tokio::test(start_paused = true)]
async fn goaway_after_the_promise() {
    let script = Script::new().push("/bytes/100000", ["/bytes/30000"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/100000")).await;
    server.peer.trace().await;
    server.peer.send([goaway(0), window(0, 100_000), window(1, 100_000)].concat()).await;
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(1), 100_000);
    server.peer.assert_lawful();
    let (result, log) = server.hang_up().await;
    result.unwrap();
    log.assert_has("ended /bytes/100000 true");
}

/// A client asks, takes half of the promises, and reads no more.
#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_dropped() {
    let script = Script::new().push("/bytes/9000", (0..5).map(|n| format!("/bytes/100/{n}{}", "x".repeat(200))));
    let mut server = script.start(512, &[]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/bytes/9000")).await;
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert_eq!(error.timer(), Some(Timeout::WriteStall));
    assert_eq!(began.elapsed().as_secs(), 30);
    let lines = server.log.lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("Unfinished")).count(), 5, "{lines:#?}");
    server.log.assert_balanced();
}

/// No promise is made to a client whose socket is full: it would only stand in the page's way.
#[tokio::test(start_paused = true)]
async fn nothing_is_pushed_into_a_full_socket() {
    let script = Script::new().push("/bytes/10", ["/bytes/20"]);
    let mut server = script.start(1000, &[]).await;
    server.peer.send(get(1, "/bytes/50000")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.peer.send(get(3, "/bytes/10")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.peer.drink().await;
    server.log.assert_has("/bytes/10 Congested /bytes/20");
    assert_eq!((server.peer.bytes(1), server.peer.bytes(3)), (50_000, 10));
    server.peer.assert_well().await;
}

#[tokio::test(start_paused = true)]
async fn a_push_that_fails_leaves_the_page_alone() {
    let script = Script::new().push("/bytes/10", ["/panic", "/fail", "/status/404", "/status/103/5", "/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2]);
    assert!(server.peer.ended(1) && server.peer.ended(2));
    for refused in ["Failed /panic", "Failed /fail", "NotAdmitted /status/404", "Failed /status/103/5"] {
        server.log.assert_has(&format!("/bytes/10 {refused}"));
    }
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_takes_only_its_stream() {
    let script = Script::new().push("/bytes/10", ["/body-panics/100", "/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send([get(1, "/bytes/10"), get(3, "/body-panics/5"), get(5, "/bytes/30")].concat()).await;
    server.peer.drink().await;
    assert_eq!((server.peer.resets(2), server.peer.resets(3)), (vec![2], vec![2]));
    assert!(server.peer.ended(1) && server.peer.ended(4) && server.peer.ended(5));
    server.log.assert_has("ended /body-panics/5 false");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The page waits for its pushes as long as the configuration says and no longer; what is late is not pushed,
/// and no longer worked on.
#[tokio::test(start_paused = true)]
async fn the_page_waits_a_little() {
    let script = Script::new().push("/bytes/10", ["/wait/20/100", "/wait/400/100", "/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/bytes/10")).await;
    while !server.peer.ended(1) {
        server.peer.drink().await;
    }
    assert_eq!(began.elapsed().as_millis() / 10, 5);
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2, 4]);
    assert_eq!((server.peer.bytes(2), server.peer.bytes(4)), (100, 30), "the order of need");
    server.log.assert_has("/bytes/10 NotReady /wait/400/100");
    server.log.assert_has("dropped /wait/400/100");
    server.hang_up().await.0.unwrap();
}

/// A page that takes longer than its pushes does not wait for them, and nothing waits for a page that is late.
#[tokio::test(start_paused = true)]
async fn pushes_are_made_ready_beside_the_page() {
    let script = Script::new().push("/wait/100/10", ["/wait/90/100"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/wait/100/10")).await;
    while !server.peer.ended(1) {
        server.peer.drink().await;
    }
    assert_eq!(began.elapsed().as_millis() / 10, 10);
    assert_eq!(server.peer.promised(), [2]);
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_page_cancelled_while_pushes_are_made_ready() {
    let script = Script::new().push("/bytes/10", ["/wait/40/100"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(rst(1, CANCEL)).await;
    assert_eq!(server.peer.trace().await, "");
    server.log.assert_has("dropped /wait/40/100");
    server.log.assert_has("ended /bytes/10 false");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn promises_may_come_with_the_response_or_be_dropped_with_it() {
    let script = Script::new().late().push("/bytes/10", ["/bytes/20"]).push("/push-nothing/10", ["/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send([get(1, "/bytes/10"), get(3, "/push-nothing/10")].concat()).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2]);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();

    let script = Script::new().push("/push-nothing/10", ["/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/push-nothing/10")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.hang_up().await.0.unwrap();
}

/// What the driver asks for itself does not pass through the policy, so no push leads to another.
#[tokio::test(start_paused = true)]
async fn a_push_pushes_nothing() {
    let script = Script::new().push("/bytes/10", ["/bytes/20"]).push("/bytes/20", ["/bytes/10", "/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2]);
    server.log.assert_has("served /bytes/20 pushed");
    assert_eq!(server.log.count("request /bytes/20 push=true"), 0);
    server.hang_up().await.0.unwrap();
}

/// A page without a body can have pushes: they go out before its head.
#[tokio::test(start_paused = true)]
async fn pages_and_pushes_without_body() {
    for page in ["/bytes/0", "/status/204", "/status/304"] {
        let script = Script::new().push(page, ["/bytes/0", "/status/204", "/bytes/20"]);
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, page)).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised(), [2, 4, 6], "{page}");
        assert!([1, 2, 4, 6].into_iter().all(|stream| server.peer.ended(stream)));
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_promise_after_a_shutdown_began() {
    let script = Script::new().push("/wait/10/10", ["/bytes/20"]).push("/bytes/11", ["/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/10/10")).await;
    server.peer.trace().await;
    server.shut_down().await;
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0");
    // A request that was under way when the GOAWAY went out is served.
    server.peer.send(get(3, "/bytes/11")).await;
    tokio::time::advance(Duration::from_millis(10)).await;
    server.peer.trace().await;
    assert!(server.peer.ended(1) && server.peer.ended(3) && server.peer.promised().is_empty());
    server.log.assert_has("/wait/10/10 Unwanted /bytes/20");
    server.log.assert_has("request /bytes/11 push=false");
    let ping = server.peer.heard.iter().find(|f| f.kind == frames::PING && f.flags == 0).unwrap().payload.clone();
    server.peer.send(frames::frame(frames::PING, frames::END, 0, &ping)).await;
    server.peer.trace().await;
    assert!(server.peer.closed);
    server.hang_up().await.0.unwrap();
}

/// The connection breaks at a random place: everything is told once.
#[tokio::test(start_paused = true)]
async fn all_is_told_when_the_connection_breaks() {
    for frames_read in 0..14 {
        let script = Script::new()
            .push("/bytes/30000", ["/bytes/20", "/wait/5/10000", "/broken/10", "/bytes/40000"])
            .push("/wait/3/10", ["/bytes/50"]);
        let mut server = script.start(3000, &[]).await;
        let requests = [get(1, "/bytes/30000"), get(3, "/wait/3/10"), request(5, "POST", "/upload/0", &[], false)];
        server.peer.send(requests.concat()).await;
        for _ in 0..frames_read {
            server.peer.next().await;
        }
        let (_, log) = server.hang_up().await;
        assert!(frames_read == 0 || log.lines().iter().filter(|line| line.starts_with("ended ")).count() == 3);
    }
}
