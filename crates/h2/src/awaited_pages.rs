//! Pages for which something was sent early and which are not ready: what they can be drawn without waits for them.
//!
//! A connection begins with ten segments a round trip (RFC 6928). What is sent while the service works on a page takes the
//! window from the page when that is ready, and cannot be overtaken below the scheduler. That is worth it for what the
//! page is not drawn without, and for nothing else.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// For how long a page is waited for. A connection that stays unused for longer costs more than it saves.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pages of one connection. At most as many as a client may have streams open.
#[derive(Debug, Default)]
pub(crate) struct AwaitedPages {
    pages: Vec<Awaited>,
    /// Made when something waits.
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug)]
struct Awaited {
    stream: u32,
    urgency: u8,
    until: Instant,
}

impl AwaitedPages {
    pub(crate) fn add(&mut self, stream: u32, urgency: u8, now: Instant) {
        self.pages.push(Awaited { stream, urgency, until: now + PATIENCE });
    }

    /// The page is ready, or will not be.
    pub(crate) fn remove(&mut self, stream: u32) {
        self.pages.retain(|page| page.stream != stream);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The urgency of the least urgent of the early responses that do not wait; `None` if none waits. The task is woken when
    /// a page has been waited for long enough.
    pub(crate) fn limit(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<u8> {
        loop {
            self.pages.retain(|page| page.until > now);
            let Some(first) = self.pages.iter().map(|page| page.until).min() else {
                self.timer = None;
                return None;
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(first)));
            if timer.deadline() != first {
                timer.as_mut().reset(first);
            }
            match timer.as_mut().poll(cx) {
                Poll::Pending => break,
                // `now` was read before.
                Poll::Ready(()) => self.pages.retain(|page| page.until > first),
            }
        }
        // One step below the page: what blocks it.
        self.pages.iter().map(|page| page.urgency.saturating_add(1)).min()
    }
}
