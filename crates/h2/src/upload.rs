//! Uploads that do not arrive.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Config;

/// How long a handler waits for the rest of a request body.
///
/// What counts is the time that the handler waited: one that reads slowly does not make its client slow. After each
/// [`Config::body_stall_timeout`] of waiting, what came in it must have been [`Config::min_body_rate`] on average;
/// a body that stopped has brought nothing.
#[derive(Debug)]
pub(crate) struct Patience {
    stall: Duration,
    min_bytes: u64,
    /// Of this stretch: since when the handler waits, how long it did before, and what it got.
    since: Option<Instant>,
    waited: Duration,
    /// What has come of the body in all, bytes, and what of it had before this stretch.
    received: u64,
    before: u64,
    /// Made when the handler waits for the first time.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(crate) fn new(config: &Config) -> Self {
        let min_bytes = (f64::from(config.min_body_rate) * config.body_stall_timeout.as_secs_f64()) as u64;
        Patience {
            stall: config.body_stall_timeout,
            min_bytes: min_bytes.max(1),
            since: None,
            waited: Duration::ZERO,
            received: 0,
            before: 0,
            timer: None,
        }
    }

    /// So many bytes came, or the end.
    pub(crate) fn came(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Nothing is there, except `partial` bytes of a frame that has not come in full: `h2` passes on whole frames, of
    /// which a slow line brings one in minutes. Ready when there was too little for too long.
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
            // One that stands earlier is left alone: it costs a wake-up, moving it costs a lock for each piece.
            if timer.is_elapsed() || timer.deadline() > due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // It stood earlier; or time has passed since `now`, which the next wake-up sees.
            timer.as_mut().reset(due);
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
    }
}
