//! Frames and streams that cost a client nothing, in masses.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::Script;
use testkit::frames::{self, CANCEL, DATA, HEADERS, PING, PRIORITY, PRIORITY_UPDATE, RST_STREAM, SETTINGS};
use testkit::frames::{data, frame, get, request, rst, window};

const BIG_PIPE: usize = 1 << 22;

/// One frame of each kind that carries nothing.
fn empty_frames() -> Vec<Vec<u8>> {
    vec![
        frame(PING, 0, 0, &[7; 8]),
        frame(PING, frames::END, 0, &[7; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]),
        frame(PRIORITY, 0, 7, &[0, 0, 0, 0, 16]),
        frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\x09u=1"),
        window(0, 1),
        window(1, 1),
        frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
        frame(0xfa, 0, 0, b"unknown"),
    ]
}

/// A thousand in ten seconds, all of them at once, are answered or ignored; one more is not.
#[tokio::test(start_paused = true)]
async fn a_thousand_empty_frames_and_no_more() {
    for one in empty_frames() {
        let kind = one[3];
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/bytes/10")).await;
        server.peer.trace().await;
        // The greeting was two, and 10 bytes were sent; `assert_well` makes it a thousand.
        server.peer.send(one.repeat(997)).await;
        server.peer.trace().await;
        let before = server.peer.heard.len();
        server.peer.send(frame(PING, 0, 0, b"are you?")).await;
        server.peer.trace().await;
        assert_eq!((server.peer.heard.len() - before, server.peer.closed), (1, false), "kind {kind}");
        server.peer.send(one).await;
        assert_eq!(server.peer.trace().await, "GOAWAY 0 11", "kind {kind}");
        assert!(server.peer.closed);
        let (result, _) = server.hang_up().await;
        let error = result.unwrap_err();
        assert!(error.is_protocol() && error.timer().is_none(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_a_rate() {
    for (a_second, lives) in [(90, true), (130, false)] {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/wait/60000/10")).await;
        for _ in 0..60 {
            server.peer.try_send(frame(PING, 0, 0, b"are you?").repeat(a_second)).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            server.peer.trace().await;
        }
        assert_eq!(server.peer.closed, !lives, "{a_second} a second");
        assert_eq!(server.peer.ended(1), lives);
        if !lives {
            server.log.assert_has("dropped /wait/60000/10");
        }
        assert_eq!(server.hang_up().await.0.is_ok(), lives);
    }
}

/// However much lies ready to be read: it is the frames beyond the limit that are not looked at, not their time.
#[tokio::test(start_paused = true)]
async fn a_flood_in_one_piece_is_cut_short() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(frame(PING, 0, 0, b"are you?").repeat(50_000)).await;
    assert_eq!(server.peer.trace().await, "GOAWAY 0 11");
    let answered = server.peer.heard.iter().filter(|frame| frame.kind == PING).count();
    assert!(answered < 4000, "a thousand, and what one read brings: {answered}");
}

/// Two acknowledgements for each kilobyte, as a client may send them that reads small pieces.
#[tokio::test(start_paused = true)]
async fn a_download_pays_for_its_acknowledgements() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/4000000")).await;
    while !server.peer.ended(1) {
        let heard = server.peer.bytes(1);
        server.peer.trace().await;
        let kilobytes = (server.peer.bytes(1) - heard) / 1000;
        let more = [window(0, 1000), window(1, 1000)].concat();
        assert!(kilobytes > 0);
        server.peer.send(more.repeat(kilobytes)).await;
    }
    let updates = 2 * server.peer.bytes(1) / 1000;
    assert!(updates > 7000, "{updates} frames");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The end of an upload, an interim frame of nothing, and uploads themselves.
#[tokio::test(start_paused = true)]
async fn uploads_are_no_flood() {
    let mut server = Script::new().config(|config| config.max_control_frames = 60).start(BIG_PIPE, &[]).await;
    for n in 0..100 {
        let stream = 2 * n + 1;
        let upload = [request(stream, "POST", "/upload/0", &[], false), data(stream, 10, false), data(stream, 0, true)];
        server.peer.send(upload.concat()).await;
        server.peer.trace().await;
        assert!(server.peer.ended(stream));
    }
    server.peer.assert_well().await;
    // Empty DATA that ends nothing counts; `h2` itself takes a hundred.
    let stream = 201;
    server
        .peer
        .send([request(stream, "POST", "/upload/0", &[], false), data(stream, 0, false).repeat(61)].concat())
        .await;
    assert_eq!(server.peer.trace().await, "GOAWAY 0 11");
    server.hang_up().await.0.unwrap_err();
}

/// It does not read what it is told: a second later it is gone.
#[tokio::test(start_paused = true)]
async fn a_flood_without_reading_ends_as_soon() {
    let mut server = Script::new().start(1000, &[]).await;
    let began = Instant::now();
    server.peer.send([get(1, "/bytes/50000"), get(3, "/wait/9000/10")].concat()).await;
    for n in 0.. {
        assert!(n < 100_000, "the flood goes on");
        if !server.peer.try_send(frame(PRIORITY, 0, 7, &[0, 0, 0, 0, 16])).await {
            break;
        }
    }
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert!(error.is_protocol(), "{error}");
    assert_eq!(began.elapsed().as_secs(), 1);
    server.log.assert_has("ended /bytes/50000 false");
    server.log.assert_has("dropped /wait/9000/10");
    server.log.assert_balanced();
}

/// Each stream is begun and reset when work on it is under way, so that `h2` takes it for a request like any other.
#[tokio::test(start_paused = true)]
async fn two_hundred_resets_and_no_more() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let mut stream = 1;
    for round in 0..21 {
        for reset in [false, true] {
            for n in 0..10 {
                let frame = if reset { rst(stream + 2 * n, CANCEL) } else { get(stream + 2 * n, "/wait/90000/10") };
                server.peer.try_send(frame).await;
            }
            server.peer.trace().await;
        }
        stream += 20;
        assert_eq!(server.peer.closed, round == 20, "round {round}");
    }
    assert_eq!(server.log.lines().iter().filter(|line| line.starts_with("dropped ")).count(), 210);
    assert!(server.peer.heard.iter().any(|frame| frame.to_string() == "GOAWAY 0 11"));
    assert!(server.hang_up().await.0.unwrap_err().is_protocol());
}

/// Bodies under way count as work, and so do streams that are reset before they are looked at.
#[tokio::test(start_paused = true)]
async fn whatever_was_begun_counts() {
    let script = Script::new().config(|config| config.max_resets = 4);
    for path in ["/endless/10", "/bytes/100000", "/wait/90000/10"] {
        let mut server = script.start(BIG_PIPE, &[]).await;
        for n in 0..5 {
            assert!(!server.peer.closed, "{path} {n}");
            server.peer.send(get(2 * n + 1, path)).await;
            server.peer.trace().await;
            server.peer.send(rst(2 * n + 1, CANCEL)).await;
            server.peer.trace().await;
        }
        assert!(server.peer.closed, "{path}");
    }
    let script = Script::new().config(|config| config.max_resets = 4);
    let mut server = script.start(BIG_PIPE, &[]).await;
    for n in 0..5 {
        assert!(!server.peer.closed);
        server.peer.send([get(2 * n + 1, "/wait/90000/10"), rst(2 * n + 1, CANCEL)].concat()).await;
        server.peer.trace().await;
    }
    assert!(server.peer.closed);
    assert_eq!(server.log.lines().iter().filter(|line| line.starts_with("served ")).count(), 0);
}

/// "MadeYouReset" (CVE-2025-8671): the client breaks a rule of one stream, so that the server resets it itself.
/// The work is dropped all the same, and it counts.
#[tokio::test(start_paused = true)]
async fn a_reset_that_the_client_provokes_is_a_reset() {
    let mut server = Script::new().config(|config| config.max_resets = 4).start(BIG_PIPE, &[]).await;
    for n in 0..5 {
        let stream = 2 * n + 1;
        assert!(!server.peer.closed, "{n}");
        server.peer.send(get(stream, &format!("/wait/90000/{n}"))).await;
        server.peer.trace().await;
        server.peer.send(window(stream, 0x7fff_ffff)).await;
        server.peer.trace().await;
        server.log.assert_has(&format!("dropped /wait/90000/{n}"));
    }
    assert!(server.peer.closed);
    server.hang_up().await.0.unwrap_err();
    // What `h2` makes an error of the connection, or of the stream: never is work left.
    for breach in [window(1, 0), data(1, 10, false), frame(HEADERS, frames::END_HEADERS, 1, &[0x82])] {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(get(1, "/wait/90000/1")).await;
        server.peer.trace().await;
        server.peer.send(breach).await;
        server.peer.trace().await;
        assert!(server.peer.closed || server.peer.resets(1).len() == 1);
        server.log.assert_has("dropped /wait/90000/1");
        let _ = server.hang_up().await;
    }
}

/// A window that is opened a byte at a time: each byte costs a frame either way, so it ends soon.
#[tokio::test(start_paused = true)]
async fn a_window_opened_in_drops_is_a_flood() {
    let mut server = Script::new().start(BIG_PIPE, &[(frames::INITIAL_WINDOW_SIZE, 0)]).await;
    server.peer.send(get(1, "/bytes/10000")).await;
    for _ in 0..3000 {
        server.peer.try_send(window(1, 1)).await;
        server.peer.next().await;
    }
    assert!(server.peer.closed);
    assert!(server.peer.heard.iter().filter(|frame| frame.kind == DATA).count() <= 1000);
    assert!(server.hang_up().await.0.unwrap_err().is_protocol());
}
