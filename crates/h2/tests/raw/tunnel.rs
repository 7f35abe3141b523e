//! Extended CONNECT (RFC 8441): tunnels, by which WebSockets come over HTTP/2.

use std::time::Duration;

use headstart_h2::Timeout;

use crate::server::Script;
use testkit::frames::{self, CANCEL, DATA, INITIAL_WINDOW_SIZE, SETTINGS, data, frame, get, request, rst, window};

const BIG_PIPE: usize = 1 << 22;

/// SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 8441 section 3.
const ENABLE_CONNECT_PROTOCOL: [u8; 6] = [0, 8, 0, 0, 0, 1];

fn connect(stream: u32, path: &str) -> Vec<u8> {
    request(stream, "CONNECT", path, &[(":protocol", "websocket"), ("sec-websocket-version", "13")], false)
}

/// CONNECT as RFC 9113 has it, section 8.5: method and authority alone.
fn plain_connect(stream: u32) -> Vec<u8> {
    let block = [&b"\0\x07:method\x07CONNECT"[..], b"\0\x0a:authority\x0da.example:443"].concat();
    frame(frames::HEADERS, frames::END_HEADERS, stream, &block)
}

fn tunnels() -> Script {
    Script::new().config(|config| config.extended_connect = true)
}

fn says(stream: u32, words: &str) -> Vec<u8> {
    frame(DATA, 0, stream, words.as_bytes())
}

#[tokio::test(start_paused = true)]
async fn tunnels_are_refused_unless_configured() {
    // Where it is not offered, `:protocol` is no part of a request (RFC 8441, section 3).
    for (script, offered, status) in [(Script::new(), false, None), (tunnels(), true, Some(200))] {
        let mut server = script.start(BIG_PIPE, &[]).await;
        server.peer.send([connect(1, "/echo"), plain_connect(3)].concat()).await;
        server.peer.trace().await;
        let settings = server.peer.heard.iter().find(|frame| frame.kind == SETTINGS).unwrap();
        assert_eq!(settings.payload.chunks(6).any(|entry| entry == ENABLE_CONNECT_PROTOCOL), offered);
        let of = |stream| server.peer.heard.iter().find(|frame| frame.stream == stream).and_then(frames::Frame::status);
        assert_eq!((of(1), of(3)), (status, Some(501)));
        assert_eq!(server.peer.resets(1), if offered { vec![] } else { vec![1] });
        assert_eq!(server.log.count("tunnel Some(\"websocket\")"), usize::from(offered));
        server.peer.assert_well().await;
    }
}

/// Both sides speak when they like, and each ends its half by itself.
#[tokio::test(start_paused = true)]
async fn a_tunnel_carries_both_ways() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/echo")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200");
    for words in ["one", "and two"] {
        server.peer.send(says(1, words)).await;
        assert_eq!(server.peer.trace().await, format!("DATA 1 {}", words.len()));
    }
    server.peer.send(data(1, 4, true)).await;
    assert_eq!(server.peer.trace().await, "DATA 1 4 end");
    server.log.assert_has("ended /echo true");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_with_the_request_is_not_lost() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send([connect(1, "/echo"), says(1, "at once")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 7");
    server.hang_up().await.0.unwrap();
}

/// A megabyte each way at once, through windows and pipes that hold little.
#[tokio::test(start_paused = true)]
async fn a_tunnel_keeps_to_the_windows() {
    let mut server = tunnels().start(20_000, &[]).await;
    server.peer.send(connect(1, "/echo")).await;
    let mut sent = 0;
    while sent < 1_000_000 {
        server.peer.send(data(1, 10_000, false)).await;
        sent += 10_000;
        server.peer.drink().await;
    }
    assert_eq!(server.peer.bytes(1), 1_000_000);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// The server's half may end first: what the client says then is still read.
#[tokio::test(start_paused = true)]
async fn a_half_closed_tunnel_is_read() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/read-on")).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200 end");
    tokio::time::sleep(Duration::from_secs(100)).await;
    server.peer.send(data(1, 5000, true)).await;
    server.peer.trace().await;
    server.log.assert_has("read on 5000");
    server.peer.assert_well().await;
}

/// A reset ends both halves: the reader sees an error, the writer is dropped.
#[tokio::test(start_paused = true)]
async fn a_client_may_reset_its_tunnel() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send([connect(1, "/echo"), connect(3, "/endless/10"), connect(5, "/upload/0")].concat()).await;
    server.peer.trace().await;
    server.peer.send([rst(1, CANCEL), rst(3, CANCEL), rst(5, CANCEL)].concat()).await;
    assert_eq!(server.peer.trace().await, "");
    for path in ["/echo", "/endless/10", "/upload/0"] {
        server.log.assert_has(&format!("ended {path} false"));
    }
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A handler whose end breaks resets the stream, and only the stream.
#[tokio::test(start_paused = true)]
async fn a_tunnel_that_breaks_is_reset() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send([connect(1, "/break-later/10"), connect(3, "/echo")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, HEADERS 3 200, DATA 1 10");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(server.peer.trace().await, "RST 1 2");
    server.peer.send([says(1, "too late"), says(3, "here")].concat()).await;
    assert_eq!(server.peer.trace().await, "DATA 3 4");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// Hours of silence, with nobody's timer running; a client that is gone is another matter.
#[tokio::test(start_paused = true)]
async fn a_silent_tunnel_lives() {
    let script = tunnels().config(|config| config.keep_alive_interval = None);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/echo")).await;
    for _ in 0..5 {
        server.peer.trace().await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        server.peer.send(says(1, "still here")).await;
    }
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(1), 50);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();

    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/echo")).await;
    let error = (&mut server.task).await.unwrap().unwrap_err();
    assert_eq!(error.timer(), Some(Timeout::KeepAlive));
}

/// Nor is a handler in a hurry that waits for the client's first words before it answers.
#[tokio::test(start_paused = true)]
async fn a_tunnel_may_begin_with_silence() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/upload/0")).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    server.peer.send(data(1, 10, true)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.hang_up().await.0.unwrap();
}

/// A client that does not read its tunnel for a while has its reasons, and loses neither tunnel nor connection.
#[tokio::test(start_paused = true)]
async fn a_tunnel_may_be_left_unread() {
    for with_others in [false, true] {
        let script = tunnels().config(|config| config.keep_alive_interval = None);
        let mut server = script.start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 100)]).await;
        server.peer.send(connect(1, "/bytes/1000")).await;
        assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 100");
        for n in 0..20 {
            if with_others {
                server.peer.send(get(3 + 2 * n, "/bytes/50")).await;
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
            server.peer.trace().await;
        }
        server.peer.send(window(1, 1000)).await;
        assert_eq!(server.peer.trace().await, "DATA 1 900 end, RST 1 0", "nobody reads the client's half");
        server.peer.assert_well().await;
    }
}

/// A tunnel is no page.
#[tokio::test(start_paused = true)]
async fn nothing_is_pushed_with_a_tunnel() {
    let mut server = tunnels().push("/echo", ["/bytes/20"]).start(BIG_PIPE, &[]).await;
    server.peer.send([connect(1, "/echo"), says(1, "hello")].concat()).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 5");
    server.log.assert_has("request /echo push=false");
    server.hang_up().await.0.unwrap();
}

/// A shutdown waits for tunnels, as for any stream; whoever shuts down says for how long.
#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_a_tunnel() {
    let mut server = tunnels().start(BIG_PIPE, &[]).await;
    server.peer.send(connect(1, "/echo")).await;
    server.peer.trace().await;
    server.shut_down().await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    server.peer.send(data(1, 10, true)).await;
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0, DATA 1 10 end");
    (&mut server.task).await.unwrap().unwrap();
}
