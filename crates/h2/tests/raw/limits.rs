//! Timers and bounds, on paused time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use headstart_h2::{Config, Error, Timeout};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::Instant;

use crate::server::{Running, Script};
use testkit::frames::{self, CONTINUATION, END_HEADERS, HEADERS, INITIAL_WINDOW_SIZE, PING};
use testkit::frames::{data, frame, get, request, settings, window};

const BIG_PIPE: usize = 1 << 22;

/// Waits for the end of the server's task; the error and the seconds that it took.
async fn end<C>(server: &mut Running<C>) -> (Result<(), Error>, u64) {
    let began = Instant::now();
    let result = (&mut server.task).await.unwrap();
    (result, began.elapsed().as_secs())
}

fn timer(result: Result<(), Error>) -> Option<Timeout> {
    result.unwrap_err().timer()
}

#[tokio::test(start_paused = true)]
async fn a_handshake_takes_five_seconds_at_most() {
    // Nothing; half a preface; a preface without SETTINGS; half of SETTINGS.
    let settings = settings(&[(INITIAL_WINDOW_SIZE, 100)]);
    for hello in [&[][..], &frames::PREFACE[..10], frames::PREFACE, &[frames::PREFACE, &settings[..12]].concat()] {
        let (mut theirs, ours) = tokio::io::duplex(BIG_PIPE);
        let connection = Script::new().connection(ours);
        let began = Instant::now();
        theirs.write_all(hello).await.unwrap();
        let result = connection.await;
        assert_eq!((timer(result), began.elapsed().as_secs()), (Some(Timeout::Handshake), 5), "{}", hello.len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_preface_is_refused_at_once() {
    let (mut theirs, ours) = tokio::io::duplex(BIG_PIPE);
    theirs.write_all(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").await.unwrap();
    let began = Instant::now();
    let error = Script::new().connection(ours).await.unwrap_err();
    assert!(error.timer().is_none() && began.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_head_takes_ten_seconds_at_most() {
    // A part of a frame header, a part of a block, a block without its end.
    let head = get(1, "/bytes/10");
    for part in [&head[..1], &head[..20], &frame(HEADERS, 1, 1, &head[9..])] {
        let mut server = Script::new().start(BIG_PIPE, &[]).await;
        server.peer.send(part).await;
        let (result, seconds) = end(&mut server).await;
        assert_eq!((timer(result), seconds), (Some(Timeout::Header), 10));
    }
}

/// Each CONTINUATION comes in time, but the head does not end.
#[tokio::test(start_paused = true)]
async fn a_head_in_drops_takes_no_longer() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let began = Instant::now();
    server.peer.send(frame(HEADERS, 1, 1, &get(1, "/bytes/10")[9..])).await;
    while server.peer.try_send(frame(CONTINUATION, 0, 1, b"\x00\x01x\x01y")).await {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    assert_eq!(timer((&mut server.task).await.unwrap()), Some(Timeout::Header));
    assert!(began.elapsed() < Duration::from_secs(13));
}

/// Heads that take six seconds each, and are never between two: an honest client on a bad line.
#[tokio::test(start_paused = true)]
async fn slow_heads_that_end_are_served() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let heads: Vec<u8> = (0..6).flat_map(|n| get(2 * n + 1, "/bytes/10")).collect();
    let length = heads.len() / 6;
    server.peer.send(&heads[..20]).await;
    for n in 0..5 {
        tokio::time::sleep(Duration::from_secs(6)).await;
        server.peer.send(&heads[n * length + 20..(n + 1) * length + 20]).await;
        server.peer.trace().await;
        assert!(server.peer.ended(2 * n as u32 + 1));
    }
    server.peer.send(&heads[5 * length + 20..]).await;
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// An upload is nearly always in the middle of a frame: that is no unfinished head.
#[tokio::test(start_paused = true)]
async fn a_slow_upload_is_no_slow_head() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(request(1, "POST", "/upload/0", &[], false)).await;
    let body = [data(1, 10_000, false), data(1, 10_000, true)].concat();
    for part in body.chunks(500) {
        server.peer.send(part).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    server.peer.trace().await;
    assert_eq!(server.peer.bytes(1), 20_000);
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// After a minute without a stream: GOAWAY, and the end when the client has had its time.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/bytes/10")).await;
    server.peer.trace().await;
    let (result, seconds) = end(&mut server).await;
    result.unwrap();
    assert_eq!(seconds, 64, "60 s of silence and 5 s for the client to answer, less what the trace took");
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0");
}

/// A client that answers is gone at once; one that asks meanwhile is served first.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_wakes_up_is_served() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0");
    server.peer.send(get(1, "/wait/7000/10")).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    let ping = server.peer.heard.iter().find(|f| f.kind == PING).unwrap().payload.clone();
    server.peer.send(frame(PING, frames::END, 0, &ping)).await;
    server.peer.trace().await;
    assert!(server.peer.closed);
    server.hang_up().await.0.unwrap();
}

/// A shutdown that was asked for waits for open streams, then not long for the client.
#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_mute_client() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send(get(1, "/wait/20000/10")).await;
    server.peer.trace().await;
    server.shut_down().await;
    let (result, seconds) = end(&mut server).await;
    result.unwrap();
    assert_eq!(seconds, 24, "20 s for the handler, 5 s for the client, less what the trace took");
    assert_eq!(server.peer.trace().await, "GOAWAY 0 0, HEADERS 1 200, DATA 1 10 end");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_dropped() {
    let mut server = Script::new().start(1000, &[]).await;
    server.peer.send(get(1, "/bytes/50000")).await;
    let (result, seconds) = end(&mut server).await;
    assert_eq!((timer(result), seconds), (Some(Timeout::WriteStall), 30));
    server.log.assert_has("ended /bytes/50000 false");
}

/// Two bytes a second are as good as none.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_drops_is_dropped() {
    let (mut theirs, ours) = tokio::io::duplex(1000);
    let task = tokio::spawn(Script::new().connection(ours));
    let asked = [frames::PREFACE, &settings(&[]), &get(1, "/bytes/50000")].concat();
    theirs.write_all(&asked).await.unwrap();
    let began = Instant::now();
    while !task.is_finished() {
        assert!(began.elapsed() < Duration::from_secs(100));
        tokio::time::sleep(Duration::from_secs(5)).await;
        theirs.read_exact(&mut [0; 10]).await.unwrap();
    }
    assert_eq!(timer(task.await.unwrap()), Some(Timeout::WriteStall));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_opens_no_window_is_dropped() {
    // No window for the stream, none for the connection, and none for a body that is not begun.
    for (initial, requests) in [(0, vec![1]), (1 << 20, vec![1]), (1 << 20, vec![1, 3])] {
        let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, initial)]).await;
        for stream in requests {
            server.peer.send(get(stream, "/bytes/100000")).await;
            server.peer.trace().await;
        }
        let (result, seconds) = end(&mut server).await;
        assert_eq!((timer(result), seconds / 2), (Some(Timeout::WriteStall), 14), "30 s less the trace");
        server.log.assert_balanced();
    }
}

/// PING replies are bytes that the client takes, but not of what it asked for.
#[tokio::test(start_paused = true)]
async fn pings_do_not_stand_for_progress() {
    let mut server = Script::new().start(BIG_PIPE, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let began = Instant::now();
    server.peer.send(get(1, "/bytes/100000")).await;
    while server.peer.try_send(frame(PING, 0, 0, b"go on...")).await {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(timer((&mut server.task).await.unwrap()), Some(Timeout::WriteStall));
    assert!(began.elapsed() < Duration::from_secs(40));
}

/// A slow reader that reads is served to the end.
#[tokio::test(start_paused = true)]
async fn a_slow_client_is_served() {
    let mut server = Script::new().start(1000, &[]).await;
    server.peer.send(get(1, "/bytes/65000")).await;
    while !server.peer.ended(1) {
        if server.peer.next().await.unwrap().kind == frames::DATA {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    }
    let slices = server.peer.heard.iter().filter(|frame| frame.kind == frames::DATA).count();
    assert_eq!(slices, 4, "it is sent whole slices, however little it reads at a time");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// A body that has nothing to say for hours is not the client's fault.
#[tokio::test(start_paused = true)]
async fn a_silent_body_is_waited_for() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    server.peer.send([get(1, "/wait/100000/10"), get(3, "/endless/10")].concat()).await;
    tokio::time::sleep(Duration::from_secs(101)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 200, DATA 3 10, HEADERS 1 200, DATA 1 10 end");
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}

/// More streams than allowed are refused (REFUSED_STREAM, 7), a header list that is too large is (431).
#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_refused() {
    let script = Script::new().config(|config| config.max_concurrent_streams = 2);
    let mut server = script.start(BIG_PIPE, &[]).await;
    server.peer.trace().await;
    server.peer.send([1, 3, 5].map(|stream| get(stream, "/wait/10/10")).concat()).await;
    assert_eq!(server.peer.trace().await, "RST 5 7");
    server.peer.assert_well().await;

    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let value = "x".repeat(10_000);
    server.peer.send(request(1, "GET", "/bytes/10", &[("a", &value)], true)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    let head = request(3, "GET", "/bytes/10", &[("a", &value), ("b", &value)], true);
    let (first, rest) = head[9..].split_at(16_000);
    server.peer.send(frame(HEADERS, 1, 3, first)).await;
    server.peer.send(frame(CONTINUATION, END_HEADERS, 3, rest)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 431 end");
    server.peer.assert_well().await;
}

/// Chromium keeps 180 cookies for a site and sends each as a field: together they are one field (RFC 9113, section 8.2.3).
#[tokio::test(start_paused = true)]
async fn cookies_count_as_one_field() {
    let mut server = Script::new().start(BIG_PIPE, &[]).await;
    let cookies: Vec<String> = (0..180).map(|n| format!("cookie-number-{n}=some-value-{n:030}")).collect();
    let crumbs: Vec<(&str, &str)> = cookies.iter().map(|cookie| ("cookie", cookie.as_str())).collect();
    server.peer.send(long_request(1, &crumbs)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 1 200, DATA 1 10 end");
    server.log.assert_has(&format!("cookies [{:?}]", cookies.join("; ")));

    // Fields of another name are many fields, and cookies have no more bytes than any other field.
    let fields: Vec<(&str, &str)> = cookies.iter().map(|cookie| ("x-cookie", cookie.as_str())).collect();
    server.peer.send(long_request(3, &fields)).await;
    assert_eq!(server.peer.trace().await, "HEADERS 3 431 end");
    let large = "x".repeat(100);
    server.peer.send(long_request(5, &vec![("cookie", large.as_str()); 160])).await;
    assert_eq!(server.peer.trace().await, "HEADERS 5 431 end");
    server.peer.assert_well().await;
}

/// A request whose header block goes on in a CONTINUATION frame.
fn long_request(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let head = request(stream, "GET", "/bytes/10", fields, true);
    let (first, rest) = head[9..].split_at(8_000);
    [frame(HEADERS, 1, stream, first), frame(CONTINUATION, END_HEADERS, stream, rest)].concat()
}

/// Opens and resets as fast as it can: the service is not asked, and the connection ends.
#[tokio::test(start_paused = true)]
async fn a_reset_flood_ends_the_connection() {
    let script = Script::new().push("/bytes/10", ["/bytes/20"]);
    let mut server = script.start(BIG_PIPE, &[]).await;
    let flood = (0..2000).flat_map(|n| [get(2 * n + 1, "/bytes/10"), frames::rst(2 * n + 1, 8)].concat());
    server.peer.send(flood.collect::<Vec<u8>>()).await;
    server.peer.trace().await;
    assert!(server.peer.closed);
    let (result, log) = server.hang_up().await;
    assert!(result.unwrap_err().is_protocol());
    assert!(log.lines().len() < 200, "{}", log.lines().len());
}

/// A writer with a buffer of its own, as TLS has: it takes bytes at once and passes them on when it can.
struct Buffering {
    io: DuplexStream,
    held: Vec<u8>,
    /// How often it was told to close.
    closes: usize,
}

impl Buffering {
    fn new(io: DuplexStream) -> Self {
        Buffering { io, held: Vec::new(), closes: 0 }
    }
}

impl AsyncRead for Buffering {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Buffering {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let room = (64 << 10) - this.held.len();
        if room == 0 {
            ready!(Pin::new(&mut *this).poll_flush(cx))?;
        }
        let taken = buf.len().min((64 << 10) - this.held.len());
        this.held.extend(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        while !this.held.is_empty() {
            let written = ready!(Pin::new(&mut this.io).poll_write(cx, &this.held))?;
            this.held.drain(..written);
        }
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.closes += 1;
        assert!(self.closes < 10_000, "told to close again and again, and never waited for");
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// A connection that ends while such a writer still holds the last bytes sleeps until the socket has taken them: its
/// task neither ends too early nor runs on without a pause, which would keep a thread from all others.
#[tokio::test(start_paused = true)]
async fn a_writer_that_buffers_at_the_end() {
    for bytes in [15_000, 60_000] {
        let (theirs, ours) = tokio::io::duplex(500);
        let mut server = Script::new().serve(theirs, Buffering::new(ours), Duration::from_millis(1), &[]).await;
        let begun = |server: &Running<DuplexStream>| server.peer.heard.iter().any(|frame| frame.kind == PING);
        server.shut_down().await;
        while !begun(&server) {
            server.peer.next().await;
        }
        // It answers the PING of the shutdown, and asks for something that was under way when the GOAWAY came.
        let ping = server.peer.heard.iter().find(|f| f.kind == PING && f.flags == 0).unwrap().payload.clone();
        server.peer.send([get(1, &format!("/bytes/{bytes}")), frame(PING, frames::END, 0, &ping)].concat()).await;
        // The server writes its last, and the pipe takes 500 bytes of it.
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert!(!server.task.is_finished(), "{bytes} bytes are on their way");
        server.peer.drink().await;
        assert_eq!((server.peer.bytes(1), server.peer.ended(1), server.peer.closed), (bytes, true, true));
        server.hang_up().await.0.unwrap();
    }
}

/// What such a writer holds is not lost, and when it has passed it on the connection is as good as new: no
/// stall, and pushes.
#[tokio::test(start_paused = true)]
async fn a_writer_that_buffers() {
    let script = Script::new()
        .push("/bytes/10", (0..3).map(|n| format!("/bytes/20000/{n}")))
        .config(|config: &mut Config| config.idle_timeout = Duration::from_secs(3600));
    let (theirs, ours) = tokio::io::duplex(500);
    let ours = Buffering::new(ours);
    let mut server = script.serve(theirs, ours, Duration::from_millis(1), &[]).await;
    server.peer.send(get(1, "/bytes/60000")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.bytes(1), 60_000);
    tokio::time::sleep(Duration::from_secs(100)).await;
    server.peer.send(get(3, "/bytes/10")).await;
    server.peer.drink().await;
    assert_eq!(server.peer.promised(), [2, 4, 6]);
    assert!([2, 4, 6].into_iter().all(|push| server.peer.bytes(push) == 20_000));
    server.peer.send(window(0, 1)).await;
    server.peer.assert_well().await;
    server.hang_up().await.0.unwrap();
}
