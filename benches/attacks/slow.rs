//! Those who take their time: handshakes, heads and uploads that do not end, and connections that do nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout_at};

use super::frames::{CONTINUATION, END, HEADERS, PREFACE, block, data, frame, greeting, post};
use super::stage::{Life, Stage};
use super::wire::attack;

/// Connections at once, of each kind.
const MANY: usize = 60;

/// TCP connections that say this much of a TLS handshake, a byte every 200 ms, and then nothing.
pub(crate) async fn tls(stage: &Arc<Stage>, begun: &'static [u8]) {
    let one = async || {
        let Some(mut io) = stage.tcp(0).await else { return };
        drip(stage, &mut io, begun).await;
    };
    futures_util::future::join_all((0..MANY).map(|_| one())).await;
}

/// A ClientHello that announces 512 bytes.
pub(crate) const HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// HTTP/1.1 heads that do not end.
pub(crate) async fn http1_head(stage: &Arc<Stage>) {
    let head =
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    http1(stage, head, true).await;
}

/// HTTP/1.1 connections on which nothing is asked.
pub(crate) async fn http1_silent(stage: &Arc<Stage>) {
    http1(stage, b"", true).await;
}

/// HTTP/1.1 uploads that do not go on.
pub(crate) async fn http1_upload(stage: &Arc<Stage>) {
    http1(stage, b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\nuuuuuuuuuuuuuuuu", false).await;
}

async fn http1(stage: &Arc<Stage>, bytes: &'static [u8], slowly: bool) {
    let one = async || {
        let Some(mut io) = stage.tls(0, "http/1.1").await else { return };
        if !slowly {
            // What cannot be written is noticed when it is read.
            let _ = io.write_all(bytes).await;
        }
        drip(stage, &mut io, if slowly { bytes } else { b"" }).await;
    };
    futures_util::future::join_all((0..MANY).map(|_| one())).await;
}

/// Sends the bytes one by one, and waits for the server to close.
async fn drip<T>(stage: &Stage, io: &mut T, bytes: &[u8])
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let began = Instant::now();
    let (mut read, mut write) = tokio::io::split(io);
    let speak = async {
        for byte in bytes {
            if write.write_all(&[*byte]).await.is_err() || write.flush().await.is_err() {
                break;
            }
            stage.traffic.sent.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    };
    let listen = async {
        let mut buffer = [0; 4096];
        while let Ok(bytes @ 1..) = read.read(&mut buffer).await {
            stage.traffic.received.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    };
    let closed = timeout_at(stage.until, async {
        tokio::select! {
            () = speak => {}
            () = listen => {}
        }
    })
    .await
    .is_ok();
    stage.record(Life { closed_after: closed.then(|| began.elapsed()), goaway: None, age: began.elapsed() });
}

/// HTTP/2 connections that begin with this and say no more.
pub(crate) async fn begun(stage: &Arc<Stage>, bytes: Vec<u8>) {
    attack(stage, MANY, true, bytes, async |_| Ok(())).await;
}

pub(crate) fn half_a_preface() -> Vec<u8> {
    PREFACE[..12].to_vec()
}

/// A head that was begun.
pub(crate) fn half_a_head() -> Vec<u8> {
    [greeting(&[]), frame(HEADERS, END, 1, &block("GET", "/", &[]))].concat()
}

/// A head that goes on every second.
pub(crate) async fn head(stage: &Arc<Stage>) {
    attack(stage, MANY, true, half_a_head(), async |wire| {
        loop {
            sleep(Duration::from_secs(1)).await;
            wire.send(&frame(CONTINUATION, 0, 1, &[])).await?;
        }
    })
    .await;
}

/// Uploads of which a byte comes every 100 ms.
pub(crate) async fn uploads(stage: &Arc<Stage>) {
    attack(stage, MANY, true, greeting(&[]), async |wire| {
        let heads: Vec<u8> =
            (0..50).flat_map(|n| post(2 * n + 1, "/upload", &[("content-length", "100000")])).collect();
        wire.send(&heads).await?;
        loop {
            let bytes: Vec<u8> = (0..50).flat_map(|n| data(2 * n + 1, 1, false)).collect();
            wire.send(&bytes).await?;
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

/// As many connections from one address as it gives; all that the server lets in are held.
pub(crate) async fn crowd(stage: &Arc<Stage>, count: usize) {
    let one = async |n: usize| {
        sleep(Duration::from_millis(n as u64)).await;
        let Some(mut io) = stage.tls(0, "h2").await else {
            stage.record(Life { closed_after: Some(Duration::ZERO), goaway: None, age: Duration::ZERO });
            return;
        };
        let begun = io.write_all(&greeting(&[])).await.is_ok() && io.flush().await.is_ok();
        if begun {
            drip(stage, &mut io, b"").await;
        }
    };
    futures_util::future::join_all((0..count).map(one)).await;
}
