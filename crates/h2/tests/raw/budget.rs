//! Our own bounds on pushes: how many, how many bytes, and for whom no more.

use std::time::Duration;

use crate::frames::{CANCEL, get, rst};
use crate::server::Script;

const BIG_PIPE: usize = 1 << 22;

#[tokio::test(start_paused = true)]
async fn our_own_limits_hold() {
    let paths = || (0..6).map(|n| format!("/bytes/1000/{n}"));
    let check = async |script: Script, promised: usize, refusal: &str| {
        let mut server = script.push("/bytes/10", paths()).start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), promised, "{refusal}");
        let refused = server.log.lines().iter().filter(|line| line.contains(refusal)).count();
        assert_eq!(refused, 6 - promised);
        server.peer.assert_well().await;
        server.hang_up().await.0.unwrap();
    };
    check(Script::new().config(|config| config.max_open_pushes = 4), 4, "Crowded").await;
    check(Script::new().config(|config| config.max_open_pushes = 0), 0, "Crowded").await;
    check(Script::new().config(|config| config.max_pushed_bytes = 3500), 3, "Budget").await;
}

#[tokio::test(start_paused = true)]
async fn a_push_of_unknown_length_counts_as_64_kib() {
    let script = Script::new().push("/bytes/10", ["/trailers/10", "/trailers/20", "/bytes/1000"]);
    let mut server = script.config(|config| config.max_pushed_bytes = 70_000).start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.drink().await;
    server.log.assert_has("/bytes/10 promised /trailers/10");
    server.log.assert_has("/bytes/10 Budget /trailers/20");
    server.log.assert_has("/bytes/10 promised /bytes/1000");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_byte_budget_comes_back() {
    let script = Script::new().push("/bytes/10", ["/bytes/900"]).config(|config| {
        config.max_diary_entries = 0;
        config.max_pushed_bytes = 1000;
        config.push_window = Duration::from_secs(10);
    });
    let mut server = script.start(BIG_PIPE, &[]).await;
    for (stream, promised) in [(1, 1), (3, 1)] {
        server.peer.send(get(stream, "/bytes/10")).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), promised);
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    server.peer.send(get(5, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised().len(), 2);
    server.hang_up().await.0.unwrap();
}

/// A client that cancels what it is sent is left alone.
#[tokio::test(start_paused = true)]
async fn pushing_stops_after_so_many_cancels() {
    let script = Script::new().push("/bytes/10", ["/bytes/100000"]).config(|config| config.max_diary_entries = 0);
    let mut server = script.start(BIG_PIPE, &[]).await;
    for page in 0..12 {
        server.peer.send(get(2 * page + 1, "/bytes/10")).await;
        server.peer.drink().await;
        if let Some(push) = server.peer.promised().get(page as usize) {
            server.peer.send(rst(*push, CANCEL)).await;
            server.peer.drink().await;
        }
    }
    assert_eq!(server.peer.promised().len(), 8);
    assert_eq!(server.log.count("request /bytes/10 push=false"), 4);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_is_pushed_twice_unless_it_changed() {
    let script = Script::new()
        .push("/bytes/10", ["/tagged/20?1", "/bytes/30"])
        .push("/bytes/11", ["/tagged/20?1", "/bytes/30", "/bytes/30"])
        .push("/bytes/12", ["/tagged/20?2", "/bytes/31", "/bytes/31"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    for (stream, page, promised) in [(1, "/bytes/10", 2), (3, "/bytes/11", 2), (5, "/bytes/12", 4)] {
        server.peer.send(get(stream, page)).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), promised, "{page}");
    }
    server.log.assert_has("/bytes/11 Repeated /tagged/20?1");
    server.log.assert_has("/bytes/12 Repeated /bytes/31");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}
