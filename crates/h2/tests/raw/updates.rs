//! PRIORITY_UPDATE (RFC 9218, section 7): the client thinks better of what it asked for.

use crate::server::Script;
use testkit::frames::{INITIAL_WINDOW_SIZE, PRIORITY_UPDATE, frame, get, request, window};

const BIG_PIPE: usize = 1 << 22;

fn update(stream: u32, field: &str) -> Vec<u8> {
    frame(PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes(), field.as_bytes()].concat())
}

fn ask(stream: u32, path: &str, priority: &str) -> Vec<u8> {
    request(stream, "GET", path, &[("priority", priority)], true)
}

/// Uses up the connection's window with stream 1, so that what follows waits and only order decides.
async fn queued(requests: &[Vec<u8>]) -> crate::server::Running<tokio::io::DuplexStream> {
    let script = Script::new()
        .push("/bytes/20", ["/bytes/7000"])
        .push("/bytes/21", ["/bytes/7001", "/bytes/7002", "/bytes/7003"]);
    let mut server = script.start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 1 << 20)]).await;
    server.peer.send(ask(1, "/bytes/65535", "u=0")).await;
    server.peer.trace().await;
    server.peer.send(requests.concat()).await;
    server.peer.trace().await;
    server
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_is_moved() {
    let mut server = queued(&[ask(3, "/bytes/5000", "u=2"), ask(5, "/bytes/6000", "u=5")]).await;
    server.peer.send([update(5, "u=1"), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// It goes behind those that have that urgency already.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_moved_is_the_last_of_its_equals() {
    let mut server = queued(&[ask(3, "/bytes/5000", "u=5"), ask(5, "/bytes/6000", "u=2")]).await;
    server.peer.send([update(3, "u=2"), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
    server.hang_up().await.0.unwrap();
}

/// In one piece with its request, which is answered at once.
#[tokio::test(start_paused = true)]
async fn an_update_may_follow_at_once() {
    let mut server = queued(&[ask(3, "/bytes/5000", "u=2"), ask(5, "/bytes/6000", "u=6"), update(5, "u=1")]).await;
    server.peer.send(window(0, 50_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_sent_gives_way() {
    let mut server = queued(&[ask(3, "/bytes/50000", "u=2"), ask(5, "/bytes/6000", "u=5")]).await;
    server.peer.send(window(0, 20_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 3 20000");
    server.peer.send([update(3, "u=7"), window(0, 40_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 30000 end");
    server.hang_up().await.0.unwrap();
}

/// What the frame leaves out has the default, not what was asked for before (section 7).
#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_the_default() {
    let mut server = queued(&[ask(3, "/bytes/5000", "u=4"), ask(5, "/bytes/6000", "u=5, i")]).await;
    server.peer.send([update(5, ""), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn turns_begin_when_a_stream_becomes_incremental() {
    let mut server = queued(&[get(3, "/bytes/100000"), get(5, "/bytes/100000")]).await;
    server.peer.send([update(3, "i"), update(5, "i"), window(0, 100_000)].concat()).await;
    server.peer.trace().await;
    let (a, b) = (server.peer.bytes(3), server.peer.bytes(5));
    assert!(a + b == 100_000 && a.abs_diff(b) <= 16_384, "{a} and {b}");
    server.hang_up().await.0.unwrap();
}

/// It may come before its stream (section 7), and then counts for more than the request's own field.
#[tokio::test(start_paused = true)]
async fn an_update_may_come_first() {
    let requests = [ask(3, "/bytes/5000", "u=2"), ask(5, "/bytes/6000", "u=6")].concat();
    for together in [true, false] {
        let mut server = queued(&[update(5, "u=1"), if together { requests.clone() } else { Vec::new() }]).await;
        if !together {
            server.peer.send(&requests).await;
            server.peer.trace().await;
        }
        server.peer.send(window(0, 50_000)).await;
        assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
        server.hang_up().await.0.unwrap();
    }
}

/// While the handler thinks.
#[tokio::test(start_paused = true)]
async fn a_stream_without_response_is_moved() {
    let mut server = queued(&[ask(3, "/wait/20/5000", "u=2"), ask(5, "/wait/20/6000", "u=5")]).await;
    server.peer.send(update(5, "u=1")).await;
    server.peer.trace().await;
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    server.peer.trace().await;
    server.peer.send(window(0, 50_000)).await;
    assert_eq!(server.peer.trace().await, "DATA 5 6000 end, DATA 3 5000 end");
    server.hang_up().await.0.unwrap();
}

/// What a response says of its priority outweighs what the client says (section 8), whenever it says it.
#[tokio::test(start_paused = true)]
async fn the_response_has_the_last_word() {
    let mut server = queued(&[ask(3, "/urgent/5000", "u=5"), ask(5, "/bytes/6000", "u=2")]).await;
    server.peer.send([update(3, "u=7"), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 3 5000 end, DATA 5 6000 end");
    server.hang_up().await.0.unwrap();
}

/// A push may be moved, too, as soon as its promise was seen.
#[tokio::test(start_paused = true)]
async fn a_push_is_moved() {
    let mut server = queued(&[get(3, "/bytes/20"), ask(5, "/bytes/6000", "u=4")]).await;
    assert_eq!(server.peer.promised(), [2]);
    server.peer.send([update(2, "u=6"), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 3 20 end, DATA 5 6000 end, DATA 2 7000 end");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Also one whose number is above all that the client has opened.
#[tokio::test(start_paused = true)]
async fn a_late_push_is_moved() {
    let mut server = queued(&[get(3, "/bytes/21")]).await;
    assert_eq!(server.peer.promised(), [2, 4, 6]);
    server.peer.send([update(4, "u=1"), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 4 7002 end, DATA 3 21 end, DATA 2 7001 end, DATA 6 7003 end");
    server.hang_up().await.0.unwrap();
}

/// Of streams that are over, never were, or a field that is none: nothing changes.
#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_ignored() {
    let mut server = queued(&[ask(3, "/bytes/5000", "u=2"), ask(5, "/bytes/6000", "u=3")]).await;
    let long = format!("{}u=0", "x=1,".repeat(100));
    let updates = [update(1, "u=7"), update(8, "u=7"), update(9999, "u=1"), update(5, "u=9;"), update(5, &long)];
    server.peer.send([updates.concat(), window(0, 50_000)].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 3 5000 end, DATA 5 6000 end");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// RFC 9218, section 7.1: on another stream than 0 or for stream 0 PROTOCOL_ERROR; without a stream id
/// FRAME_SIZE_ERROR.
#[tokio::test(start_paused = true)]
async fn broken_updates_end_the_connection() {
    let cases = [
        (frame(PRIORITY_UPDATE, 0, 1, b"\0\0\0\x01u=1"), 1),
        (update(0, "u=1"), 1),
        (frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0"), 6),
        (frame(PRIORITY_UPDATE, 0, 0, b""), 6),
    ];
    for (broken, code) in cases {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send([get(1, "/wait/9000/10"), broken].concat()).await;
        assert_eq!(server.peer.trace().await, format!("GOAWAY 0 {code}"));
        assert!(server.peer.closed);
        assert!(server.hang_up().await.0.unwrap_err().is_protocol());
    }
}
