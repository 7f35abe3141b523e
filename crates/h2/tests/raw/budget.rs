//! Our own bounds on pushes: how many, how many bytes, and for whom no more.

use std::time::Duration;

use crate::server::Script;
use testkit::frames::{self, CANCEL, get, rst};

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

/// It pays as it goes, and is cut off (CANCEL) when nothing is left; the page and what was promised before are not.
#[tokio::test(start_paused = true)]
async fn an_endless_push_is_cut_off() {
    let script = Script::new()
        .push("/bytes/10", ["/bytes/5000", "/flood/0", "/bytes/6000"])
        .push("/bytes/11", ["/bytes/7000"])
        .config(|config| config.max_pushed_bytes = 150_000);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2, 4, 6]);
    assert_eq!((server.peer.bytes(2), server.peer.bytes(6)), (5000, 6000));
    // The reset overtakes what was on its way.
    assert!((100_000..=139_000).contains(&server.peer.bytes(4)), "{}", server.peer.bytes(4));
    assert_eq!(server.peer.resets(4), [CANCEL]);
    server.log.assert_has("Failed /flood/0");
    server.peer.send(get(3, "/bytes/11")).await;
    server.peer.drink().await;
    server.log.assert_has("request /bytes/11 push=false");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// However long it takes: one push never costs more than the whole budget.
#[tokio::test(start_paused = true)]
async fn an_endless_push_in_drops_is_cut_off() {
    let script = Script::new().push("/bytes/10", ["/trickle/1000"]).config(|config| {
        config.max_pushed_bytes = 100_000;
        config.idle_timeout = Duration::from_secs(3600);
    });
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    for _ in 0..120 {
        server.peer.drink().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!((server.peer.bytes(2), server.peer.resets(2)), (100_000, vec![CANCEL]));
    server.log.assert_has("Failed /trickle/1000");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// What is merely larger than it was taken for is sent.
#[tokio::test(start_paused = true)]
async fn a_push_may_grow_within_the_budget() {
    let mut server = Script::new().push("/bytes/10", ["/pieces/200000"]).start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!((server.peer.bytes(2), server.peer.ended(2)), (200_000, true));
    server.log.assert_has("Finished /pieces/200000");
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

/// A connection may serve several sites, with assets of the same name.
#[tokio::test(start_paused = true)]
async fn another_site_is_pushed_its_own() {
    let mut server = Script::new().push("/bytes/10", ["/bytes/20"]).start(BIG_PIPE, &[]).await;
    for (stream, authority, promised) in [(1, "a.example", 1), (3, "b.example", 2), (5, "b.example", 2)] {
        server.peer.send(frames::request_to(authority, stream, "GET", "/bytes/10", &[], true)).await;
        server.peer.drink().await;
        assert_eq!(server.peer.promised().len(), promised, "{authority}");
    }
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// When no push has room, none is made ready either: a page then costs the service a page.
#[tokio::test(start_paused = true)]
async fn what_has_no_room_is_not_asked_for() {
    let full = |config: &mut headstart_h2::Config| config.max_open_pushes = 2;
    let spent = |config: &mut headstart_h2::Config| config.max_pushed_bytes = 40_000;
    for limit in [full as fn(&mut headstart_h2::Config), spent] {
        let script = Script::new()
            .push("/bytes/10", (0..3).map(|n| format!("/bytes/20000/{n}")))
            .push("/bytes/11", (0..3).map(|n| format!("/bytes/30000/{n}")))
            .config(limit);
        // The pushes stay open: the page alone fits into the window.
        let mut server = script.start(BIG_PIPE, &[(frames::INITIAL_WINDOW_SIZE, 100)]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.trace().await;
        assert_eq!(server.peer.promised(), [2, 4]);
        server.peer.send(get(3, "/bytes/11")).await;
        server.peer.trace().await;
        server.log.assert_has("request /bytes/11 push=false");
        let asked = server.log.lines().iter().filter(|line| line.starts_with("served /bytes/30000")).count();
        assert_eq!((asked, server.peer.ended(3)), (0, true));
        server.peer.assert_lawful();
    }
}
