//! Attacks on a site whose pages are pushed with their assets.

use std::sync::Arc;

use super::frames::{DATA, END, INITIAL_WINDOW_SIZE, PUSH_PROMISE, greeting, navigation, rst, window};
use super::site::PAGES;
use super::stage::Stage;
use super::wire::attack;
use super::wire::{Over, Wire};

/// Everything that is promised is held open: neither windows nor resets (20 connections of 50 pages each).
pub(crate) async fn no_window(stage: &Arc<Stage>) {
    attack(stage, 20, true, greeting(&[(INITIAL_WINDOW_SIZE, 0)]), async |wire| wire.send(&pages(50)).await).await;
}

/// The same, and nothing is read either.
pub(crate) async fn never_read(stage: &Arc<Stage>) {
    attack(stage, 20, false, greeting(&[(INITIAL_WINDOW_SIZE, 1 << 30)]), async |wire| {
        wire.send(&window(0, 1 << 30)).await?;
        wire.send(&pages(50)).await
    })
    .await;
}

fn pages(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| navigation(2 * n + 1, PAGES[n as usize % PAGES.len()].path)).collect()
}

/// Every promise is reset at once, page after page; the window of the connection stays open.
pub(crate) async fn reset_all(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[(INITIAL_WINDOW_SIZE, 1 << 30)]), async |wire| {
        wire.send(&window(0, 1 << 30)).await?;
        for n in 0..10_000 {
            let stream = 2 * n + 1;
            wire.send(&navigation(stream, PAGES[n as usize % PAGES.len()].path)).await?;
            reset_until_end(wire, stream).await?;
            if n == 0 {
                wire.settled();
            }
        }
        Ok(())
    })
    .await;
}

async fn reset_until_end(wire: &mut Wire, page: u32) -> Result<(), Over> {
    loop {
        let heard = wire.next().await?;
        if heard.kind == PUSH_PROMISE {
            wire.send(&rst(heard.word)).await?;
        }
        if heard.kind == DATA && heard.stream == page && heard.flags & END != 0 {
            return Ok(());
        }
    }
}

/// Every page is taken whole, again and again, without a cookie: what is pushed twice is amplification.
pub(crate) async fn take_all(stage: &Arc<Stage>) {
    attack(stage, 4, true, greeting(&[(INITIAL_WINDOW_SIZE, 1 << 30)]), async |wire| {
        wire.send(&window(0, 1 << 30)).await?;
        for n in 0..10_000 {
            let stream = 2 * n + 1;
            wire.send(&navigation(stream, PAGES[n as usize % PAGES.len()].path)).await?;
            wire.until(DATA, stream).await?;
            if n == 0 {
                // Its pushes follow it.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                wire.settled();
            }
        }
        Ok(())
    })
    .await;
}
