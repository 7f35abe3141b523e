//! Pushes that are promised ahead of a page which takes long.

use std::time::Duration;

use headstart_policy::{Priority, Promise};
use http::HeaderMap;
use tokio::time::Instant;

use crate::server::Script;
use testkit::frames::{CANCEL, ENABLE_PUSH, get, request, rst, settings, window};

const BIG_PIPE: usize = 1 << 22;

fn ranked(path: &str, urgency: u8) -> Promise<String> {
    let priority = Some(Priority { urgency, incremental: false });
    Promise { path: path.parse().unwrap(), headers: HeaderMap::new(), priority, tag: path.to_owned() }
}

async fn after(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_takes_long_has_its_pushes_before_it() {
    let script = Script::new().push("/wait/200/10", ["/bytes/20", "/bytes/30"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/wait/200/10")).await;
    assert_eq!(server.peer.trace().await, "", "not at once: most pages are quick");
    after(20).await;
    assert_eq!(
        server.peer.trace().await,
        "PROMISE 1>2, HEADERS 2 200, PROMISE 1>4, HEADERS 4 200, DATA 2 20 end, DATA 4 30 end"
    );
    assert!(began.elapsed() < Duration::from_millis(40));
    after(200).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.log.assert_has("/wait/200/10 promised /bytes/20");
    server.log.assert_has("Finished /bytes/30");
    server.log.assert_has("ended /wait/200/10 true");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Those that are not resolved are waited for as long as a page would wait for them; later ones go as they come, or with
/// the page.
#[tokio::test(start_paused = true)]
async fn pushes_wait_for_one_another_a_little() {
    let paths = ["/wait/40/100", "/bytes/20", "/wait/90/100", "/wait/250/100", "/wait/900/100"];
    let script = Script::new().push("/wait/300/10", paths);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/300/10")).await;
    after(60).await;
    assert_eq!(server.peer.trace().await, "", "at 60 ms");
    after(20).await;
    let heard = server.peer.trace().await;
    assert_eq!(
        heard, "PROMISE 1>2, HEADERS 2 200, PROMISE 1>4, HEADERS 4 200, DATA 2 100 end, DATA 4 20 end",
        "at 80 ms, in order of need"
    );
    after(20).await;
    assert_eq!(server.peer.trace().await, "PROMISE 1>6, HEADERS 6 200, DATA 6 100 end", "at 100 ms");
    while !server.peer.ended(1) {
        server.peer.drink().await;
    }
    assert_eq!(server.peer.promised(), [2, 4, 6, 8]);
    server.log.assert_has("/wait/300/10 NotReady /wait/900/100");
    server.log.assert_has("dropped /wait/900/100");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn never_if_so_configured() {
    let script = Script::new().push("/wait/200/10", ["/bytes/20"]).config(|config| config.promise_ahead_after = None);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/200/10")).await;
    after(190).await;
    assert_eq!(server.peer.trace().await, "");
    after(20).await;
    assert!(server.peer.trace().await.starts_with("PROMISE 1>2, HEADERS 2 200, HEADERS 1 200"));
    server.hang_up().await.0.unwrap();
}

/// The page goes before the pushes that were promised ahead of it.
#[tokio::test(start_paused = true)]
async fn the_page_comes_first_all_the_same() {
    for priority in ["u=3", "u=0"] {
        let script = Script::new().push("/wait/100/30000", ["/bytes/200000", "/bytes/100000"]);
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(request(1, "GET", "/wait/100/30000", &[("priority", priority)], true)).await;
        after(30).await;
        server.peer.trace().await;
        assert_eq!(server.peer.bytes(2), 65_535, "what the window of the connection allows");
        after(80).await;
        assert_eq!(server.peer.trace().await, "HEADERS 1 200");
        server.peer.send([window(2, 1 << 20), window(4, 1 << 20), window(0, 30_000)].concat()).await;
        assert_eq!(server.peer.trace().await, "DATA 1 30000 end", "{priority}");
        server.peer.send(window(0, 1 << 20)).await;
        assert_eq!(server.peer.trace().await, "DATA 2 134465 end, DATA 4 100000 end");
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

/// The first flights are for the page: what it can be drawn without waits until it is ready, but no longer than a second.
#[tokio::test(start_paused = true)]
async fn what_does_not_block_waits_for_the_page() {
    for (page, waits) in [("/wait/300/30000", 300), ("/wait/3000/30000", 1_000)] {
        let script = Script::new().promise(page, vec![ranked("/bytes/20", 1), ranked("/bytes/30", 3)]);
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(request(1, "GET", page, &[("priority", "u=0, i")], true)).await;
        after(waits - 20).await;
        let heard = server.peer.trace().await;
        assert!(heard.ends_with("HEADERS 4 200, DATA 2 20 end"), "{page}: {heard}");
        after(40).await;
        let heard = server.peer.trace().await;
        assert!(heard.ends_with("DATA 4 30 end"), "{page}: {heard}");
        assert_eq!(heard.contains("DATA 1 30000 end, "), waits < 1_000, "{page}: the page goes first: {heard}");
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

/// What was promised for a page that comes to nothing is taken back, and so is what has not gone out of it.
#[tokio::test(start_paused = true)]
async fn a_page_that_comes_to_nothing() {
    let pages = [("/wait-push-nothing/100/0", "HEADERS 1 200 end"), ("/wait-fail/100", "HEADERS 1 500 end")];
    for (page, answer) in pages {
        let script = Script::new().push(page, ["/bytes/20", "/bytes/90000"]);
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, page)).await;
        after(30).await;
        server.peer.trace().await;
        assert_eq!((server.peer.bytes(2), server.peer.bytes(4)), (20, 65_515));
        server.peer.send(window(0, 10)).await;
        after(80).await;
        let heard = server.peer.trace().await;
        assert!(heard.contains(answer), "{heard}");
        assert_eq!((server.peer.resets(2), server.peer.resets(4)), (vec![], vec![CANCEL]), "{heard}");
        server.log.assert_has("Finished /bytes/20");
        server.log.assert_has("Failed /bytes/90000");
        // Its window is there for others.
        server.peer.send([window(0, 50_000), get(3, "/bytes/50000")].concat()).await;
        server.peer.trace().await;
        assert!(server.peer.ended(3), "{page}");
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

/// The client gives the page up: what it was promised goes on, for that it did not give up.
#[tokio::test(start_paused = true)]
async fn a_page_cancelled_after_its_pushes() {
    let script = Script::new().push("/wait/500/10", ["/bytes/30000", "/wait/100/10"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/500/10")).await;
    after(75).await;
    server.peer.trace().await;
    assert_eq!(server.peer.promised(), [2]);
    server.peer.send(rst(1, CANCEL)).await;
    server.peer.drink().await;
    after(500).await;
    assert_eq!(server.peer.trace().await, "");
    assert!(server.peer.ended(2));
    server.log.assert_has("dropped /wait/500/10");
    server.log.assert_has("dropped /wait/100/10");
    server.log.assert_has("ended /wait/500/10 false");
    server.log.assert_has("Finished /bytes/30000");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Pages that are at work at the same time promise one after the other.
#[tokio::test(start_paused = true)]
async fn pages_at_the_same_time() {
    let pages: Vec<String> = (0..5).map(|n| format!("/wait/{}/10", 100 + n)).collect();
    let script = pages
        .iter()
        .enumerate()
        .fold(Script::new(), |script, (n, page)| script.push(page, [format!("/bytes/{n}00"), format!("/bytes/{n}01")]));
    for pipe in [256, BIG_PIPE] {
        let mut server = script.start(pipe, &[]).await;
        for (n, page) in pages.iter().enumerate() {
            server.peer.send(get(2 * n as u32 + 1, page)).await;
        }
        for _ in 0..40 {
            server.peer.drink().await;
            after(10).await;
        }
        assert_eq!(server.peer.promised().len(), 10);
        assert!((0..5).all(|n| server.peer.ended(2 * n + 1)));
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    }
}

/// A client whose socket is full is not promised more; when it reads again it is.
#[tokio::test(start_paused = true)]
async fn a_full_socket_puts_the_promises_off() {
    let script = Script::new().push("/wait/900/10", ["/bytes/20"]);
    let mut server = script.start(1 << 10, &[]).await;
    server.peer.send([get(1, "/bytes/40000"), get(3, "/wait/900/10")].concat()).await;
    after(100).await;
    assert_eq!(server.log.count("/wait/900/10 promised /bytes/20"), 0);
    server.peer.drink().await;
    after(100).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2]);
    assert!(!server.peer.ended(3));
    after(900).await;
    server.peer.drink().await;
    assert!(server.peer.ended(3));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The client takes no pushes any more when they would be promised.
#[tokio::test(start_paused = true)]
async fn settings_flip_before_the_promise() {
    let script = Script::new().push("/wait/100/10", ["/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/100/10")).await;
    assert_eq!(server.peer.trace().await, "");
    server.peer.send(settings(&[(ENABLE_PUSH, 0)])).await;
    after(150).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.log.assert_has("/wait/100/10 Unwanted /bytes/20");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}
