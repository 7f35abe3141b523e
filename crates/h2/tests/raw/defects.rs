//! The defects of `h2` 0.4.20 (D1 to D8 of `UPSTREAM.md`), each provoked through the driver. They say what the
//! driver has to keep up, and what may go when upstream has mended the defect.

use headstart_h2::Config;
use headstart_policy::Promise;
use http::{HeaderMap, HeaderValue};

use crate::server::Script;
use testkit::frames::{self, CANCEL, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS};
use testkit::frames::{get, goaway, rst, window};

/// A path with so long a name that few promises of it fill a small pipe.
fn long(name: usize) -> String {
    format!("/bytes/2000/{name}-{}", "x".repeat(300))
}

/// D1: ids of promises on two parents leave `h2` out of order. Guarded by one batch of promises at a time
/// (`Wire::barrier_closed`, `Exchanges::ready`). When mended, pages may be committed side by side.
#[tokio::test(start_paused = true)]
async fn d1_promises_of_two_pages_ascend() {
    let script = Script::new()
        .push("/bytes/10/a", ["/bytes/20/1", "/bytes/20/2"])
        .push("/bytes/10/b", ["/bytes/20/3", "/bytes/20/4"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send([get(1, "/bytes/10/a"), get(3, "/bytes/10/b")].concat()).await;
    assert_eq!(
        server.peer.trace().await,
        "PROMISE 1>2, HEADERS 2 200, PROMISE 1>4, HEADERS 4 200, HEADERS 1 200, \
         PROMISE 3>6, HEADERS 6 200, PROMISE 3>8, HEADERS 8 200, HEADERS 3 200, \
         DATA 1 10 end, DATA 2 20 end, DATA 4 20 end, DATA 3 10 end, DATA 6 20 end, DATA 8 20 end"
    );
    server.peer.assert_well().await;
}

/// D1 again, with a 103 queued on the first page: it used to let the second page's promise overtake.
#[tokio::test(start_paused = true)]
async fn d1_an_interim_response_does_not_reorder_promises() {
    let script =
        Script::new().hint("/bytes/10/a").push("/bytes/10/a", ["/bytes/20/1"]).push("/bytes/10/b", ["/bytes/20/2"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send([get(1, "/bytes/10/a"), get(3, "/bytes/10/b")].concat()).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2, 4]);
    server.peer.assert_well().await;
}

/// D1 under load: a hundred pages at once through a pipe that is always full.
#[tokio::test(start_paused = true)]
async fn d1_a_hundred_pages_at_once() {
    let script = Script::new()
        .push("/bytes/3000", (0..3).map(|n| format!("/bytes/500/{n}")))
        .config(|config| config.max_diary_entries = 0);
    let mut server = script.start(2000, &[]).await;
    let pages = 100;
    for page in (0..pages).step_by(10) {
        let requests: Vec<Vec<u8>> = (page..page + 10).map(|page| get(2 * page + 1, "/bytes/3000")).collect();
        server.peer.send(requests.concat()).await;
        server.peer.drink().await;
    }
    server.peer.assert_well().await;
    for page in 0..pages {
        assert_eq!(server.peer.bytes(2 * page + 1), 3000);
    }
    assert!(server.peer.promised().len() >= 100, "{}", server.peer.promised().len());
    for push in server.peer.promised() {
        assert_eq!(server.peer.bytes(push), 500);
    }
}

/// D2: a GOAWAY that meets queued promises panicked the connection's task. Guarded by the read barrier
/// (`Tap::poll_read`). When mended, the barrier may go if D3 to D5 are, too.
#[tokio::test(start_paused = true)]
async fn d2_goaway_among_queued_promises() {
    for last in [0, 1, 2, 4] {
        let script = Script::new().push("/bytes/9000", (0..4).map(long));
        let mut server = script.start(256, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
        assert_eq!(server.peer.trace().await, "");
        server.peer.send(get(1, "/bytes/9000")).await;
        // The pipe is full in the middle of the promises; nothing was read yet.
        tokio::task::yield_now().await;
        server.peer.send(goaway(last)).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised(), [2, 4, 6, 8], "last {last}");
        assert_eq!(server.peer.bytes(1), 9000);
        server.peer.assert_lawful();
        let (result, log) = server.hang_up().await;
        result.unwrap();
        log.assert_has("ended /bytes/9000 true");
    }
}

/// D2 and D6: more than fifty promises whose handles are dropped before they are written, because their
/// responses have no body. Each is promised and answered.
#[tokio::test(start_paused = true)]
async fn d2_d6_sixty_pushes_without_body() {
    let script = Script::new()
        .push("/bytes/100", (0..60).map(|n| format!("/bytes/0/{n}")))
        .config(|config| config.max_open_pushes = 100);
    let mut server = script.start(300, &[]).await;
    server.peer.send(get(1, "/bytes/100")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised().len(), 60);
    assert!(server.peer.promised().iter().all(|push| server.peer.ended(*push)));
    assert!(server.peer.ended(1));
    server.peer.assert_well().await;
    let finished = server.log.lines().iter().filter(|line| line.starts_with("Finished")).count();
    assert_eq!(finished, 60);
}

/// D3: a RST_STREAM for a promise whose response is not begun closed the connection. Guarded by promising only
/// what is resolved, and by a barrier that waits for the heads (`Wire::open_barrier`). When mended,
/// `Batch::heads_written` may go.
#[tokio::test(start_paused = true)]
async fn d3_reset_as_soon_as_promised() {
    let script = Script::new().push("/bytes/9000", (0..4).map(long));
    let mut server = script.start(256, &[]).await;
    server.peer.send(get(1, "/bytes/9000")).await;
    let mut reset = 0;
    while let Some(frame) = server.peer.next().await {
        if frame.kind == frames::PUSH_PROMISE {
            server.peer.send(rst(frame.word(0), CANCEL)).await;
            reset += 1;
        }
    }
    assert_eq!(reset, 4);
    server.peer.assert_well().await;
    assert_eq!(server.peer.bytes(1), 9000);
    for name in 0..4 {
        server.log.assert_has(&format!("Cancelled(Cancel) {}", long(name)));
    }
}

/// D3 again: the reset lies in the socket already when the promise goes out, as far as the rules let it (the
/// promise is half written).
#[tokio::test(start_paused = true)]
async fn d3_reset_before_the_promise_is_read() {
    let script = Script::new().push("/bytes/9000", (0..4).map(long));
    let mut server = script.start(256, &[]).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(get(1, "/bytes/9000")).await;
    tokio::task::yield_now().await;
    server.peer.send([rst(2, CANCEL), rst(8, CANCEL), get(3, "/bytes/20000")].concat()).await;
    server.peer.drink().await;
    server.peer.assert_well().await;
    assert_eq!((server.peer.bytes(1), server.peer.bytes(3)), (9000, 20_000));
}

/// D4: RST_STREAM or WINDOW_UPDATE for a promise that the client's own SETTINGS_MAX_CONCURRENT_STREAMS holds
/// back closed the connection. Guarded by counting open pushes against that setting (`Pushes::allow`). When mended,
/// they need not be counted against it.
#[tokio::test(start_paused = true)]
async fn d4_no_promise_is_held_back() {
    for max in 0..3 {
        let script = Script::new().push("/bytes/10", (0..5).map(|n| format!("/bytes/70000/{n}")));
        let mut server = script.start(1 << 20, &[(MAX_CONCURRENT_STREAMS, max)]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.trace().await;
        assert_eq!(server.peer.promised().len(), max as usize);
        for push in server.peer.promised() {
            assert!(server.peer.heard.iter().any(|f| f.kind == frames::HEADERS && f.stream == push), "{push} is held");
            server.peer.send([window(push, 1000), rst(push, CANCEL)].concat()).await;
        }
        server.peer.assert_well().await;
    }
}

/// D5: a page cancelled while its promises are queued kept their share of the window until the connection ended. Guarded
/// by the read barrier, and by handing nothing to `h2` that the window does not take. When mended, the barrier may
/// go if D2 to D4 are, too; the scheduler stays.
#[tokio::test(start_paused = true)]
async fn d5_a_cancelled_page_returns_the_window() {
    let script = Script::new().push("/bytes/50000", (0..4).map(|n| format!("{}{n}", long(n))));
    let mut server = script.start(256, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(get(1, "/bytes/50000")).await;
    tokio::task::yield_now().await;
    server.peer.send([rst(1, CANCEL), get(3, "/bytes/60000")].concat()).await;
    // No window is returned: all of the connection's 65,535 bytes must be there for what is still wanted.
    server.peer.trace().await;
    let pushed: usize = server.peer.promised().iter().map(|push| server.peer.bytes(*push)).sum();
    let all = server.peer.bytes(1) + server.peer.bytes(3) + pushed;
    assert!(server.peer.ended(3) || all == 65_535, "{all} bytes of the window used, {} on 3", server.peer.bytes(3));
    server.peer.send(window(0, 65_535)).await;
    server.peer.drink().await;
    server.peer.assert_well().await;
    assert_eq!(server.peer.bytes(3), 60_000);
}

/// D5 once more (its smallest trigger): the window claimed by pushes that are reset one by one.
#[tokio::test(start_paused = true)]
async fn d5_cancelled_pushes_return_the_window() {
    let script = Script::new().push("/bytes/10", (0..4).map(|n| format!("/bytes/20000/{n}")));
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.trace().await;
    let before: usize = server.peer.heard.iter().filter(|f| f.kind == frames::DATA).map(|f| f.payload.len()).sum();
    assert_eq!(before, 65_535, "the window is full");
    for push in [2, 4, 6, 8] {
        server.peer.send(rst(push, CANCEL)).await;
    }
    server.peer.send([window(0, 30_000), get(3, "/bytes/30000")].concat()).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(3), 30_000);
    server.peer.assert_well().await;
}

/// D6: a promise whose handle is dropped is never answered. Guarded by resetting what fails. When mended, the
/// reset in `commit` may go.
#[tokio::test(start_paused = true)]
async fn d6_a_push_that_fails_is_reset() {
    let script = Script::new().push("/bytes/10", ["/broken/0", "/broken/5000", "/bytes/20"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.trace().await;
    assert_eq!(server.peer.promised(), [2, 4, 6]);
    assert_eq!((server.peer.resets(2), server.peer.resets(4)), (vec![2], vec![2]));
    assert!(server.peer.ended(6) && server.peer.ended(1));
    server.log.assert_has("Failed /broken/0");
    server.log.assert_has("Failed /broken/5000");
    server.peer.assert_well().await;
}

/// D7: `h2` promises on a page that has ended, was reset, or whose client has said GOAWAY. Guarded by the tap
/// (`Driver::take_end`, `Wire::goaway_received`) and by `poll_reset` in `Delivery::commit`. When mended, `poll_reset` may go.
#[tokio::test(start_paused = true)]
async fn d7_no_promise_on_a_page_that_is_gone() {
    let script = Script::new().push("/wait/10/100", ["/bytes/20"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/wait/10/100")).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(rst(1, CANCEL)).await;
    tokio::time::advance(std::time::Duration::from_millis(20)).await;
    assert_eq!(server.peer.trace().await, "");
    server.log.assert_has("ended /wait/10/100 false");
    server.log.assert_has("dropped /wait/10/100");
    server.peer.assert_well().await;
}

/// D7 for a client that is leaving: the page is still served, nothing is promised.
#[tokio::test(start_paused = true)]
async fn d7_no_promise_after_goaway() {
    let script = Script::new().push("/wait/10/100", ["/bytes/20"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/wait/10/100")).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(goaway(0)).await;
    tokio::time::advance(std::time::Duration::from_millis(20)).await;
    let trace = server.peer.trace().await;
    assert!(trace.starts_with("HEADERS 1 200, DATA 1 100 end"), "{trace}");
    assert!(server.peer.promised().is_empty());
    server.log.assert_has("/wait/10/100 Unwanted /bytes/20");
    let (result, log) = server.hang_up().await;
    result.unwrap();
    log.assert_has("ended /wait/10/100 true");
}

/// D8: each promise that `h2` refuses leaks a stream. Guarded by checking before calling it
/// (`promised_request`). When mended, it need not refuse what `h2` refuses.
#[tokio::test(start_paused = true)]
async fn d8_a_promise_that_may_not_be_is_not_made() {
    let promise = |path: &str, field: Option<(&'static str, &'static str)>| {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = field {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Promise { path: path.parse().unwrap(), headers, priority: None, tag: path.to_owned() }
    };
    let script = Script::new().config(|config| config.max_diary_entries = 0).promise(
        "/bytes/10",
        vec![
            promise("*", None),
            promise("//evil.example/", None),
            promise("/bytes/20/1", Some(("connection", "close"))),
            promise("/bytes/20/2", Some(("content-length", "7"))),
            promise("/bytes/20/3", Some(("te", "gzip"))),
            promise("/bytes/20/4", Some(("cookie", "secret=1"))),
        ],
    );
    let mut server = script.start(1 << 20, &[]).await;
    for page in 0..100 {
        server.peer.send(get(2 * page + 1, "/bytes/10")).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), 4 * (page as usize + 1));
    }
    assert_eq!(server.log.count("/bytes/10 Invalid *"), 100);
    assert_eq!(server.log.count("/bytes/10 Invalid //evil.example/"), 100);
    let promised = server.peer.heard.iter().filter(|frame| frame.kind == frames::PUSH_PROMISE);
    assert!(promised.clone().all(|f| !String::from_utf8_lossy(&f.payload).contains("cookie")));
    server.peer.assert_well().await;
}

/// E2: `h2` has no way to ask for ENABLE_PUSH, and an attempt leaks (D8). The tap reads it. When there is one,
/// `Wire::push_enabled` may go.
#[tokio::test(start_paused = true)]
async fn e2_a_client_without_push_sees_none() {
    let script = Script::new().push("/bytes/10", ["/bytes/20"]);
    let mut server = script.start(1 << 20, &[(ENABLE_PUSH, 0)]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.log.assert_has("request /bytes/10 push=false");
    server.peer.assert_well().await;
}

/// E8: whoever asks `h2` first gets the window; a pushed body used to take it from its page. Guarded by
/// `Scheduler`, which stays: its order is what a page gains by.
#[tokio::test(start_paused = true)]
async fn e8_the_page_goes_first() {
    let script = Script::new().push("/bytes/30000", ["/bytes/200000"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/bytes/30000")).await;
    assert_eq!(server.peer.trace().await, "PROMISE 1>2, HEADERS 2 200, HEADERS 1 200, DATA 1 30000 end, DATA 2 35535");
    server.peer.drink().await;
    server.peer.assert_well().await;
}

/// E11: `h2` sends a 103 after the final head. Guarded by `Interim::close`, which stays: a handler is told.
#[tokio::test(start_paused = true)]
async fn e11_no_interim_response_after_the_head() {
    let mut server = Script::new().start(1 << 20, &[]).await;
    server.peer.send(get(1, "/hint-too-late/3000")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 1000");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 1000");
    server.log.assert_has("hint sent false");
}

/// E13: a graceful shutdown closes before a promise is answered, for `h2` counts no reserved streams. Guarded by
/// answering at once; pushes that were promised end. Nothing may go when it is mended.
#[tokio::test(start_paused = true)]
async fn e13_a_shutdown_finishes_what_was_promised() {
    let script = Script::new().push("/bytes/100000", ["/bytes/150000"]);
    let mut server = script.start(1 << 20, &[]).await;
    server.peer.send(get(1, "/bytes/100000")).await;
    server.peer.trace().await;
    server.shut_down().await;
    server.peer.trace().await;
    // The client answers the PING of the shutdown and goes on reading.
    let ping = server.peer.heard.iter().find(|f| f.kind == frames::PING && f.flags == 0).unwrap().payload.clone();
    server.peer.send([frames::frame(frames::PING, frames::END, 0, &ping), window(0, 200_000)].concat()).await;
    server.peer.send([window(1, 100_000), window(2, 150_000)].concat()).await;
    server.peer.drink().await;
    assert_eq!((server.peer.bytes(1), server.peer.bytes(2)), (100_000, 150_000));
    assert!(server.peer.ended(1) && server.peer.ended(2) && server.peer.closed);
    server.task.await.unwrap().unwrap();
}

/// The defects over real sockets, where the order of events is the kernel's: pages and cancelled pushes by the
/// hundred.
#[tokio::test]
async fn over_loopback_nothing_breaks() {
    let script =
        Script::new().push("/bytes/3000", (0..4).map(|n| format!("/bytes/5000/{n}"))).config(|config: &mut Config| {
            config.max_diary_entries = 0;
            config.max_cancelled_pushes = u32::MAX;
            config.max_pushed_bytes = u64::MAX;
        });
    let mut server = script.start_tcp(&[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send(window(0, 1 << 30)).await;
    for round in 0..30 {
        let pages: Vec<u32> = (0..20).map(|page| 2 * (round * 20 + page) + 1).collect();
        let requests: Vec<Vec<u8>> = pages.iter().map(|page| get(*page, "/bytes/3000")).collect();
        server.peer.send(requests.concat()).await;
        let mut open = pages.len();
        while open > 0 {
            let frame = server.peer.next().await.expect("a response");
            if frame.kind == frames::PUSH_PROMISE && frame.word(0) % 3 != 0 {
                server.peer.send(rst(frame.word(0), CANCEL)).await;
            }
            open -= usize::from(frame.ends() && frame.stream % 2 == 1);
        }
    }
    assert!(server.peer.promised().len() > 600, "{}", server.peer.promised().len());
    server.peer.assert_well().await;
}
