//! The order in which bodies are sent, and that each is sent in the end.

use std::time::Duration;

use headstart_policy::{Priority, Promise};
use http::HeaderMap;

use crate::server::Script;
use testkit::frames::{self, CANCEL, DATA, INITIAL_WINDOW_SIZE, PING, PRIORITY_UPDATE};
use testkit::frames::{frame, get, request, rst, settings, window};

const BIG_PIPE: usize = 1 << 23;
const WINDOW: usize = 65_535;

fn ask(stream: u32, path: &str, priority: &str) -> Vec<u8> {
    request(stream, "GET", path, &[("priority", priority)], true)
}

#[tokio::test(start_paused = true)]
async fn the_page_then_its_pushes_one_after_another() {
    let script = Script::new().push("/bytes/30000", (0..3).map(|n| format!("/bytes/20000/{n}")));
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/30000")).await;
    let trace = server.peer.trace().await;
    assert!(trace.ends_with("DATA 1 30000 end, DATA 2 20000 end, DATA 4 15535"), "{trace}");
    server.peer.send(window(0, 100_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 4 4465 end, DATA 6 20000 end");
    server.hang_up().await.0.unwrap();
}

/// Small slices are many slices: `h2` would mix those of two streams, so a stream's are written before the next
/// stream's are handed over.
#[tokio::test(start_paused = true)]
async fn a_page_in_pieces_goes_first_too() {
    let script = Script::new().push("/pieces/9000", ["/bytes/5000"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/pieces/9000")).await;
    let trace = server.peer.trace().await;
    assert!(trace.ends_with("DATA 1 9000 end, DATA 2 5000 end"), "{trace}");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_first() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send(ask(1, "/bytes/100000", "u=5")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 65535");
    server.peer.send([ask(3, "/bytes/10000/a", "u=1"), ask(5, "/bytes/10000/b", "u=0")].concat()).await;
    server.peer.send(get(7, "/bytes/10000/c")).await;
    server.peer.trace().await;
    server.peer.send(window(0, 40_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 5 10000 end, DATA 3 10000 end, DATA 7 10000 end, DATA 1 10000");
    server.hang_up().await.0.unwrap();
}

/// A push has the priority that its promise says, but never a higher one than its page.
#[tokio::test(start_paused = true)]
async fn pushes_have_priorities() {
    let promise = |path: &str, urgency| Promise {
        path: path.parse().unwrap(),
        headers: HeaderMap::new(),
        priority: Some(Priority { urgency, incremental: false }),
        tag: path.to_owned(),
    };
    let script = Script::new().promise(
        "/bytes/10000",
        vec![promise("/bytes/20/low", 6), promise("/bytes/30/high", 0), promise("/bytes/40/same", 3)],
    );
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10000")).await;
    let trace = server.peer.trace().await;
    assert!(trace.ends_with("DATA 1 10000 end, DATA 4 30 end, DATA 6 40 end, DATA 2 20 end"), "{trace}");
    server.hang_up().await.0.unwrap();
}

/// The policy knows better than a request's `priority`, not than a PRIORITY_UPDATE or the response itself.
#[tokio::test(start_paused = true)]
async fn the_policy_may_say_how_urgent_a_response_is() {
    let paths = ["/bytes/20000/late", "/bytes/20000/soon", "/bytes/20000/updated", "/urgent/20000"];
    let script = paths.iter().zip([5, 2, 2, 7]).fold(Script::new(), |script, (path, u)| script.rank(path, u));
    let mut server = script.start(BIG_PIPE, &[]).await;
    let update = frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x05u=6");
    let asked = (1..).step_by(2).zip(paths).flat_map(|(stream, path)| ask(stream, path, "u=1, i"));
    server.peer.send([update, asked.collect(), get(9, "/bytes/5000")].concat()).await;
    let trace = server.peer.trace().await;
    assert!(
        trace.ends_with("DATA 7 20000 end, DATA 3 20000 end, DATA 9 5000 end, DATA 1 20000 end, DATA 5 535"),
        "{trace}"
    );
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn incremental_bodies_take_turns() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send([ask(1, "/bytes/60000/a", "i"), ask(3, "/bytes/60000/b", "i")].concat()).await;
    server.peer.trace().await;
    let (a, b) = (server.peer.bytes(1), server.peer.bytes(3));
    assert_eq!(a + b, WINDOW);
    assert!(a.abs_diff(b) <= 16_384, "{a} and {b}");
    server.peer.drink().await;
    server.hang_up().await.0.unwrap();
}

/// Incremental bodies that began before share with those that did not, and let one that needs all of itself through.
#[tokio::test(start_paused = true)]
async fn a_body_among_incremental_ones_has_its_turn() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    let images: Vec<u8> = (0..4).flat_map(|n| ask(2 * n + 1, "/bytes/500000", "i")).collect();
    server.peer.send([images, get(9, "/bytes/50000")].concat()).await;
    server.peer.trace().await;
    server.peer.send(window(0, 70_000)).await;
    server.peer.trace().await;
    assert!(server.peer.ended(9), "after a slice of each");
    server.peer.send(window(0, 400_000)).await;
    server.peer.trace().await;
    let bytes = [1, 3, 5, 7].map(|stream| server.peer.bytes(stream));
    assert!(bytes.iter().max().unwrap() - bytes.iter().min().unwrap() <= 2 * 16_384, "{bytes:?}");
    server.hang_up().await.0.unwrap();
}

/// A download without end keeps its place for a megabyte; then its equals have their turn.
#[tokio::test(start_paused = true)]
async fn a_long_download_does_not_starve_its_equals() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 30)]).await;
    server.peer.send([get(1, "/bytes/5000000"), get(3, "/bytes/100000")].concat()).await;
    server.peer.trace().await;
    while !server.peer.ended(3) {
        server.peer.send(window(0, 65_535)).await;
        server.peer.trace().await;
        assert!(server.peer.bytes(1) < 1_500_000);
    }
    assert!(server.peer.bytes(1) >= 1 << 20);
    server.peer.send(window(0, 5_000_000)).await;
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(1), 5_000_000);
    server.hang_up().await.0.unwrap();
}

/// However urgent the others, a stream that has waited three seconds gets a slice now and then.
#[tokio::test(start_paused = true)]
async fn the_least_urgent_is_not_forgotten() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 30)]).await;
    server.peer.send([ask(1, "/bytes/4000000", "u=0"), ask(3, "/bytes/1000000", "u=7")].concat()).await;
    for _ in 0..40 {
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.peer.send(window(0, 65_535)).await;
    }
    server.peer.trace().await;
    let (urgent, idle) = (server.peer.bytes(1), server.peer.bytes(3));
    assert!(idle > 0 && urgent > 6 * idle, "{urgent} and {idle}");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_window_blocks_nobody() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    server.peer.send([ask(1, "/bytes/50000/a", "u=0"), ask(3, "/bytes/50000/b", "u=5")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, HEADERS 3 200");
    server.peer.send(window(3, 100_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 3 50000 end");
    server.peer.send(window(1, 100_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 15535");
    server.peer.send(window(0, 100_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 34465 end");
    server.hang_up().await.0.unwrap();
}

/// A body with nothing to say now (server-sent events) holds nobody up, and speaks when it has something.
#[tokio::test(start_paused = true)]
async fn a_silent_body_blocks_nobody() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let requests = [ask(1, "/endless/100", "u=0"), ask(3, "/drip/3000", "u=0"), get(5, "/bytes/20000")];
    server.peer.send(requests.concat()).await;
    let trace = server.peer.trace().await;
    assert!(trace.contains("DATA 5 20000 end"), "{trace}");
    tokio::time::sleep(Duration::from_millis(5)).await;
    server.peer.trace().await;
    assert_eq!((server.peer.bytes(3), server.peer.ended(3), server.peer.ended(1)), (3000, true, false));
    server.hang_up().await.0.unwrap();
}

/// The end of a body needs no window.
#[tokio::test(start_paused = true)]
async fn a_body_may_end_when_the_window_is_used_up() {
    for path in ["/end-later/65535", "/trailers/65535", "/bytes/65535"] {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, path)).await;
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        server.peer.trace().await;
        assert_eq!(server.peer.bytes(1), WINDOW);
        assert!(server.peer.ended(1), "{path}");
        server.hang_up().await.0.unwrap();
    }
}

/// What is below cannot be overtaken, so it is little: a late urgent response waits for 32 KiB and what the pipe
/// holds.
#[tokio::test(start_paused = true)]
async fn a_late_urgent_response_overtakes() {
    let mut server = Script::new().start(4096, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send([window(0, 1 << 20), ask(1, "/bytes/500000", "u=5")].concat()).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.peer.send(ask(3, "/bytes/1000", "u=0")).await;
    while !server.peer.ended(3) {
        assert!(server.peer.next().await.is_some());
    }
    assert!(server.peer.bytes(1) <= (32 << 10) + 4096 + 16_384, "{} came first", server.peer.bytes(1));
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(1), 500_000);
    server.hang_up().await.0.unwrap();
}

/// The client takes window back from streams that had it (RFC 9113, section 6.9.2), then gives it again.
#[tokio::test(start_paused = true)]
async fn the_window_may_shrink() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send([get(1, "/bytes/100000"), get(3, "/bytes/1000")].concat()).await;
    server.peer.trace().await;
    server.peer.send([settings(&[(INITIAL_WINDOW_SIZE, 100)]), window(0, 200_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 3 100", "stream 1 is 65,435 bytes beyond its window");
    server.peer.send(settings(&[(INITIAL_WINDOW_SIZE, 70_000)])).await;
    assert_eq!(server.peer.trace().await, "DATA 1 4465, DATA 3 900 end");
    server.peer.send(window(1, 100_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 30000 end");
    server.hang_up().await.0.unwrap();
}

/// Shrinks while data is on its way down: what `h2` holds of stream 1 must not keep the others waiting.
#[tokio::test(start_paused = true)]
async fn the_window_may_shrink_under_what_is_sent() {
    let mut server = Script::new().start(300, &[]).await;
    server.peer.send(get(1, "/bytes/40000")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.peer.send([settings(&[(INITIAL_WINDOW_SIZE, 20_000)]), get(3, "/bytes/15000")].concat()).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(3), 15_000);
    server.peer.send([window(1, 30_000), window(0, 60_000)].concat()).await;
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(1), 40_000);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The window shrinks when 32 KiB of a stream have left `h2`: they count, and what is left of the connection's window
/// goes to others.
#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_window_shrank_counts() {
    let mut server = Script::new().start(300, &[]).await;
    server.peer.send(get(1, "/bytes/40000")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let shrink = settings(&[(INITIAL_WINDOW_SIZE, 20_000)]);
    server.peer.send([shrink, get(3, "/bytes/60000"), window(3, 60_000)].concat()).await;
    server.peer.trace().await;
    assert_eq!((server.peer.bytes(1), server.peer.bytes(3)), (32 << 10, WINDOW - (32 << 10)));
    server.peer.send([rst(1, CANCEL), window(0, 60_000)].concat()).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(3), 60_000);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A stream that got less than a slice leaves no claim to the connection's window behind.
#[tokio::test(start_paused = true)]
async fn a_partial_slice_claims_nothing() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 10_000)]).await;
    server.peer.send(ask(1, "/bytes/100000/a", "u=5")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10000");
    server.peer.send([ask(3, "/bytes/100000/b", "u=4"), window(3, 100_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 200, DATA 3 55535");
    server.peer.send([window(1, 50_000), ask(5, "/bytes/6000", "u=0")].concat()).await;
    server.peer.trace().await;
    server.peer.send(window(0, 6000)).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end");
    server.hang_up().await.0.unwrap();
}

/// The client's frames wait inside `h2`, behind a PING whose answer the full socket does not take. The window
/// that they open counts when `h2` comes to them, not before, and is not missed.
#[tokio::test(start_paused = true)]
async fn window_updates_behind_an_unsent_answer_are_not_lost() {
    for read in (30_000..WINDOW).step_by(1000) {
        let mut server = Script::new().start(1000, &[]).await;
        server.peer.send([get(1, "/bytes/100000"), get(3, "/bytes/20000")].concat()).await;
        while server.peer.bytes(1) < read {
            server.peer.next().await.unwrap();
        }
        let credit = [frame(PING, 0, 0, b"answer!!"), window(1, 50_000), window(0, 100_000)].concat();
        server.peer.send(credit).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        server.peer.trace().await;
        assert_eq!((server.peer.bytes(1), server.peer.bytes(3)), (100_000, 20_000), "read {read}");
        server.hang_up().await.0.unwrap();
    }
}

/// A reset behind such a PING counts, too, also for a stream that was opened behind it.
#[tokio::test(start_paused = true)]
async fn resets_behind_an_unsent_answer_are_not_lost() {
    let script = Script::new().push("/wait/50/10", ["/bytes/20"]);
    let mut server = script.start(1000, &[]).await;
    server.peer.send(get(1, "/bytes/30000")).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let ping = frame(PING, 0, 0, b"answer!!");
    let behind = [&ping, &get(3, "/wait/50/10")[..], &ping, &rst(3, CANCEL), &get(5, "/bytes/7")].concat();
    server.peer.send(behind).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.peer.drink().await;
    assert_eq!((server.peer.bytes(1), server.peer.bytes(5)), (30_000, 7));
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.peer.drink().await;
    assert!(server.peer.heard.iter().all(|frame| frame.stream != 3 && frame.kind != frames::PUSH_PROMISE));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Streams that end and are reset in the middle give back what they had of the connection's window.
#[tokio::test(start_paused = true)]
async fn resets_do_not_leak_window() {
    let mut server = Script::new().start(2000, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send(window(0, 1 << 20)).await;
    let mut taken = 0;
    for round in 0..50 {
        let stream = 2 * round + 1;
        server.peer.send(get(stream, "/bytes/50000")).await;
        for _ in 0..round % 5 {
            server.peer.next().await;
        }
        server.peer.send(rst(stream, CANCEL)).await;
    }
    server.peer.trace().await;
    taken += server.peer.heard.iter().filter(|f| f.kind == DATA).map(|f| f.payload.len()).sum::<usize>();
    let left = WINDOW + (1 << 20) - taken;
    server.peer.send([get(1001, "/bytes/3000000"), window(1001, 3_000_000)].concat()).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(1001), left);
    server.peer.drink().await;
    server.hang_up().await.0.unwrap();
}

/// Through a pipe that is always full, everything that was asked for arrives.
#[tokio::test(start_paused = true)]
async fn a_crowd_through_a_narrow_pipe() {
    let script = Script::new().push("/bytes/5000", ["/bytes/700/a", "/drip/2500", "/trailers/900"]);
    let script = script.config(|config| config.max_diary_entries = 0);
    let paths = ["/bytes/5000", "/drip/3500", "/trailers/20000", "/wait/3/4000", "/bytes/0", "/end-later/2100"];
    let sizes = [5000, 3500, 20_000, 4000, 0, 2100];
    for pipe in [300, 2000, 20_000] {
        let mut server = script.start(pipe, &[]).await;
        for round in 0..20 {
            for (n, path) in paths.iter().enumerate() {
                let priority = format!("u={}{}", (round + n) % 8, if n % 2 == 0 { ", i" } else { "" });
                server.peer.send(ask((round * 6 + n) as u32 * 2 + 1, path, &priority)).await;
                if n % 3 == 2 {
                    server.peer.drink().await;
                }
            }
        }
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            server.peer.drink().await;
        }
        for stream in 0..120 {
            let (id, bytes) = (stream as u32 * 2 + 1, sizes[stream % 6]);
            assert_eq!((server.peer.bytes(id), server.peer.ended(id)), (bytes, true), "{} on {id}", paths[stream % 6]);
        }
        assert!(server.peer.promised().iter().all(|push| server.peer.ended(*push)));
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}
