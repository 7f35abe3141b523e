//! Attacks on what all clients share: the places and connections of an upstream, descriptors, the table of sites, the
//! cache. Each connection of an attacker keeps within the limits of a connection.

use std::sync::Arc;
use std::time::Duration;

use super::frames::{INITIAL_WINDOW_SIZE, data, get, greeting, post, rst};
use super::site::{ASSETS, File};
use super::stage::Stage;
use super::wire::attack;

/// Downloads whose clients open no window.
pub(crate) async fn downloads(stage: &Arc<Stage>, file: File, connections: usize, streams: u32) {
    attack(stage, connections, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| {
        let requests: Vec<u8> = (0..streams).flat_map(|n| get(2 * n + 1, file.path)).collect();
        wire.send(&requests).await
    })
    .await;
}

/// Downloads that are reset once they are under way, on each connection fewer than it may reset.
pub(crate) async fn resets(stage: &Arc<Stage>, file: File) {
    attack(stage, 37, true, greeting(&[(INITIAL_WINDOW_SIZE, 1)]), async |wire| {
        let mut stream = 1;
        loop {
            wire.send(&get(stream, file.path)).await?;
            wire.until(super::frames::HEADERS, stream).await?;
            wire.send(&rst(stream)).await?;
            stream += 2;
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    })
    .await;
}

/// Uploads, a byte of each every five seconds.
pub(crate) async fn uploads(stage: &Arc<Stage>) {
    attack(stage, 12, true, greeting(&[]), async |wire| {
        let heads: Vec<u8> =
            (0..100).flat_map(|n| post(2 * n + 1, "/upload", &[("content-length", "100000")])).collect();
        wire.send(&heads).await?;
        loop {
            let bytes: Vec<u8> = (0..100).flat_map(|n| data(2 * n + 1, 1, false)).collect();
            wire.send(&bytes).await?;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    })
    .await;
}

/// Requests that might empty the cache for others: codings that nobody else asks for, and unsafe methods.
pub(crate) async fn cache(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        loop {
            for asset in ASSETS {
                let coding = format!("x-{stream};q=0.{}", stream % 10);
                wire.send(&super::frames::request(stream, "GET", asset.path, &[("accept-encoding", &coding)])).await?;
                wire.send(&post(stream + 2, asset.path, &[("content-length", "0")])).await?;
                wire.send(&data(stream + 2, 0, true)).await?;
                stream += 4;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Pages of hosts that nobody has.
pub(crate) async fn hosts(stage: &Arc<Stage>) {
    attack(stage, 2, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        loop {
            let host = format!("{stream}.invented.example");
            wire.send(&super::frames::navigation_to(stream, &host, "/")).await?;
            stream += 2;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
