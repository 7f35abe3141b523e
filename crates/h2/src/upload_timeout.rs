//! The timeout of an upload that a handler waits for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Config;

/// Measures how long a handler waits for the rest of a request body.
///
/// Only the time that the handler waited counts: a handler that reads slowly does not make its client slow. After each
/// [`Config::body_stall_timeout`] of waiting, the body must have come at [`Config::min_body_rate`] on average.
#[derive(Debug)]
pub(crate) struct UploadTimeout {
    stall: Duration,
    min_bytes: u64,
    /// When the handler began to wait, if it waits now.
    since: Option<Instant>,
    /// How long it has waited before that in the present period.
    waited: Duration,
    /// Bytes of the body that have come in all, and those that had come before the present period.
    received: u64,
    before: u64,
    /// Made when the handler waits for the first time.
    timer: Option<Pin<Box<Sleep>>>,
}

impl UploadTimeout {
    pub(crate) fn new(config: &Config) -> Self {
        let min_bytes = (f64::from(config.min_body_rate) * config.body_stall_timeout.as_secs_f64()) as u64;
        UploadTimeout {
            stall: config.body_stall_timeout,
            min_bytes: min_bytes.max(1),
            since: None,
            waited: Duration::ZERO,
            received: 0,
            before: 0,
            timer: None,
        }
    }

    /// This many bytes came, or the end.
    pub(crate) fn came(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// The handler has to wait; `partial` bytes have come of a frame that is not complete, since `h2` passes on whole frames
    /// only, and a slow line takes minutes for one. Ready when too little came for too long.
    pub(crate) fn wait(&mut self, cx: &mut Context<'_>, partial: u64) -> Poll<()> {
        let now = Instant::now();
        loop {
            let since = *self.since.get_or_insert(now);
            let waited = self.waited + now.saturating_duration_since(since);
            if waited >= self.stall {
                let received = self.received.saturating_add(partial);
                if received.saturating_sub(self.before) < self.min_bytes {
                    return Poll::Ready(());
                }
                (self.since, self.waited, self.before) = (Some(now), Duration::ZERO, received);
                continue;
            }
            let due = now + self.stall.saturating_sub(waited);
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            // A sleep that ends earlier is left alone: it costs a wake-up, moving it costs a lock for each piece.
            if timer.is_elapsed() || timer.deadline() > due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // It ended earlier, or time has passed since `now`, which the next wake-up sees.
            timer.as_mut().reset(due);
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
    }
}
