//! Request bodies that come slowly, or not at all.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::Script;
use testkit::frames::{self, CANCEL, PING, data, frame, get, request, rst};

const BIG_PIPE: usize = 1 << 22;

fn post(stream: u32, path: &str) -> Vec<u8> {
    request(stream, "POST", path, &[], false)
}

/// A body that stops is an error to the handler, and the stream ends; the connection does not.
#[tokio::test(start_paused = true)]
async fn a_body_that_stops_ends_with_an_error() {
    // At once; after whole frames; in the middle of one; between body and trailers.
    let parts = [vec![], data(1, 10_000, false), data(1, 10_000, false)[..5000].to_vec()];
    for part in parts {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        let began = Instant::now();
        server.peer.send([post(1, "/upload/0"), part.clone()].concat()).await;
        while !server.peer.ended(1) {
            server.peer.drink().await;
            assert!(began.elapsed() < Duration::from_secs(100));
        }
        // A stretch in which enough came is followed by another.
        let stretches = if part.is_empty() { 1 } else { 2 };
        assert_eq!(began.elapsed().as_secs(), 30 * stretches, "{} bytes", part.len());
        assert_eq!(server.log.count("upload broke: the request body came too slowly"), 1);
        let (status, resets) = (server.peer.heard.iter().find_map(frames::Frame::status), server.peer.resets(1));
        assert_eq!((status, resets), (Some(400), vec![0]), "answered, and told to stop");
        if part.is_empty() {
            server.peer.assert_well().await;
        }
        server.hang_up().await.0.ok();
    }
}

/// The rest of the connection goes on, and may even keep it busy.
#[tokio::test(start_paused = true)]
async fn a_stall_is_the_streams_alone() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send([post(1, "/upload/0"), post(3, "/upload/0"), post(5, "/upload/0/x")].concat()).await;
    for n in 0..10 {
        server
            .peer
            .send([get(7 + 2 * n, "/bytes/10"), data(3, 1000, n == 9), frame(PING, 0, 0, &[0; 8])].concat())
            .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        server.peer.drink().await;
        assert!(server.peer.ended(7 + 2 * n));
    }
    assert_eq!(server.peer.bytes(3), 10_000);
    assert_eq!(server.log.count("upload broke: the request body came too slowly"), 2);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A rate, so that a byte now and then is not enough: 128 bytes a second.
#[tokio::test(start_paused = true)]
async fn a_body_in_drops_ends_with_an_error() {
    for (bytes, served) in [(100, false), (140, true)] {
        for frames in [1, 200] {
            let mut server = Script::new().start(BIG_PIPE, &[]).await;
            server.peer.send(post(1, "/upload/0")).await;
            // Frames of one second's bytes, or one frame in pieces of a second's.
            let body = if frames == 1 {
                data(1, 80 * bytes, true)
            } else {
                (0..80).flat_map(|n| data(1, bytes - 9, n == 79)).collect()
            };
            for piece in body.chunks(bytes) {
                server.peer.try_send(piece).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                server.peer.drink().await;
            }
            server.peer.drink().await;
            let broke = server.log.count("upload broke: the request body came too slowly");
            assert_eq!(broke, usize::from(!served), "{bytes} bytes a second, {frames}");
            server.hang_up().await.0.ok();
        }
    }
}

/// What counts is the handler's time: one that comes to read late finds what there is.
#[tokio::test(start_paused = true)]
async fn a_handler_may_be_slow() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send([post(1, "/upload/70000"), data(1, 100, false)].concat()).await;
    tokio::time::sleep(Duration::from_secs(71)).await;
    server.peer.send(data(1, 100, true)).await;
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(1), 200);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// When the response has begun, the two talk; then nobody is late.
#[tokio::test(start_paused = true)]
async fn a_conversation_may_be_silent() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(post(1, "/echo")).await;
    for word in ["one", "two"] {
        tokio::time::sleep(Duration::from_secs(100)).await;
        server.peer.send(frame(frames::DATA, 0, 1, word.as_bytes())).await;
        server.peer.trace().await;
    }
    server.peer.send(data(1, 0, true)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 0 end");
    assert_eq!(server.peer.bytes(1), 6);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A handler that answers and reads on in a task of its own is not idle, so its connection stays.
#[tokio::test(start_paused = true)]
async fn an_upload_after_the_response_keeps_the_connection() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(post(1, "/read-on")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200 end");
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        server.peer.send(data(1, 100, false)).await;
        assert_eq!(server.peer.trace().await, "");
    }
    server.peer.send(data(1, 100, true)).await;
    server.peer.trace().await;
    server.log.assert_has("read on 500");
    let result = (&mut server.task).await.unwrap();
    result.unwrap();
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0", "idle since");
}

/// Also of one that the client takes back.
#[tokio::test(start_paused = true)]
async fn an_upload_that_is_reset_keeps_nothing() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(post(1, "/read-on")).await;
    server.peer.trace().await;
    server.peer.send(rst(1, CANCEL)).await;
    let began = Instant::now();
    (&mut server.task).await.unwrap().unwrap();
    assert_eq!(began.elapsed().as_secs(), 65);
}

#[tokio::test(start_paused = true)]
async fn the_time_is_configured() {
    let script = Script::new().config(|config| {
        config.body_stall_timeout = Duration::from_secs(3);
        config.min_body_rate = 0;
    });
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send([post(1, "/upload/0"), post(3, "/upload/0")].concat()).await;
    for n in 0..5 {
        server.peer.send(data(1, 1, n == 4)).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.peer.trace().await;
    }
    assert_eq!((server.peer.bytes(1), server.log.count("upload broke: the request body came too slowly")), (5, 1));
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}
