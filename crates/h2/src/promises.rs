//! The promises of one connection: which pushes are open, and whether another may be promised.

use std::collections::VecDeque;
use std::time::Duration;

use headstart_policy::{CancelCode, Diary, DiaryEntry, Outcome, Refusal};
use http::Uri;
use http::uri::{Authority, PathAndQuery};
use tokio::time::Instant;

use crate::config::Config;
use crate::wire::{End, Ended, Wire, is_push};
use h2::Reason;

/// Finished pushes remembered to notice that the client cancelled one after all.
const MAX_FINISHED: usize = 64;

/// The promises of one connection. Bounded by [`Config::max_open_pushes`] and [`MAX_FINISHED`].
#[derive(Debug)]
pub(crate) struct Promises<T> {
    open: Vec<(u32, T)>,
    finished: VecDeque<(u32, T)>,
    diary: Diary,
    budget: Budget,
    max_open: usize,
    max_cancelled: u32,
    cancelled: u32,
    /// Set when the connection is being closed, or when `h2` itself refused a promise: it knows something that the tap
    /// does not.
    stopped: bool,
}

/// The pushed bytes of the present [`Config::push_window`].
#[derive(Debug)]
struct Budget {
    max_bytes: u64,
    window: Duration,
    began: Instant,
    bytes: u64,
}

/// Bytes of a push beyond those that its connection's budget was charged with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surcharge {
    pub(crate) more: u64,
    /// The bytes of that push in all.
    pub(crate) total: u64,
}

impl<T: Clone> Promises<T> {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Promises {
            open: Vec::new(),
            finished: VecDeque::new(),
            diary: Diary::new(config.max_diary_entries),
            budget: Budget { max_bytes: config.max_pushed_bytes, window: config.push_window, began: now, bytes: 0 },
            max_open: config.max_open_pushes,
            max_cancelled: config.max_cancelled_pushes,
            cancelled: 0,
            stopped: false,
        }
    }

    /// Whether the client takes pushes, by its settings and by how many it has cancelled.
    pub(crate) fn wanted(&self, wire: &Wire) -> bool {
        wire.push_enabled()
            && wire.max_pushes() > 0
            && !wire.goaway_received()
            && !self.stopped
            && self.cancelled < self.max_cancelled
    }

    /// Whether a push of `bytes` may be promised now. The client's SETTINGS_MAX_CONCURRENT_STREAMS counts, because `h2`
    /// would hold a response beyond it back, and a RST_STREAM for a stream that is held back closes the connection. A
    /// push is open until its end is written.
    pub(crate) fn allow(&mut self, wire: &Wire, now: Instant, bytes: u64) -> Result<(), Refusal> {
        if self.open.len() >= self.max_open.min(wire.max_pushes()) {
            return Err(Refusal::Crowded);
        }
        if self.budget.has(now, bytes) { Ok(()) } else { Err(Refusal::Budget) }
    }

    /// Charges the budget for a push that is larger than it said. `false` if that is more than the connection may be
    /// sent, or one push alone.
    pub(crate) fn charge(&mut self, now: Instant, Surcharge { more, total }: Surcharge) -> bool {
        let pays = total <= self.budget.max_bytes && self.budget.has(now, more);
        if pays {
            self.budget.take(more);
        }
        pays
    }

    /// The entry of this version of the asset, unless it was promised already.
    pub(crate) fn unless_repeated(&self, uri: &Uri, version: &[u8]) -> Result<DiaryEntry, Refusal> {
        let authority = uri.authority().map_or("", Authority::as_str);
        let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
        let entry = self.diary.entry(authority, path, version);
        if self.diary.contains(entry) { Err(Refusal::Repeated) } else { Ok(entry) }
    }

    /// A push of `bytes` was promised on the stream `id`.
    pub(crate) fn promised(&mut self, id: u32, tag: T, entry: DiaryEntry, bytes: u64) {
        self.open.push((id, tag));
        self.diary.insert(entry);
        self.budget.take(bytes);
    }

    /// No more promises are made on this connection.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Takes in the end of a stream: if it was a push, its tag and outcome.
    pub(crate) fn end(&mut self, End { stream, how }: End) -> Option<(T, Outcome)> {
        if !is_push(stream) {
            return None;
        }
        match how {
            Ended::Finished => self.finished(stream).map(|tag| (tag, Outcome::Finished)),
            Ended::ResetByClient(code) => {
                self.cancelled(stream).map(|tag| (tag, Outcome::Cancelled(cancel_code(code))))
            }
            Ended::ResetByServer => self.close(stream).map(|tag| (tag, Outcome::Failed)),
        }
    }

    /// The end of a push was written; returns its tag, if it was open.
    fn finished(&mut self, id: u32) -> Option<T> {
        let tag = self.close(id)?;
        if self.finished.len() >= MAX_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back((id, tag.clone()));
        Some(tag)
    }

    /// The client cancelled a push, perhaps one that had been sent whole.
    fn cancelled(&mut self, id: u32) -> Option<T> {
        let tag = self.close(id).or_else(|| {
            let at = self.finished.iter().position(|(finished, _)| *finished == id)?;
            self.finished.remove(at).map(|(_, tag)| tag)
        })?;
        self.cancelled = self.cancelled.saturating_add(1);
        Some(tag)
    }

    /// The server reset a push because the client opened no window for it: that counts as a cancellation.
    pub(crate) fn stalled(&mut self, id: u32) -> Option<T> {
        let tag = self.close(id)?;
        self.cancelled = self.cancelled.saturating_add(1);
        Some(tag)
    }

    /// The server reset a push.
    pub(crate) fn close(&mut self, id: u32) -> Option<T> {
        let at = self.open.iter().position(|(open, _)| *open == id)?;
        Some(self.open.swap_remove(at).1)
    }

    /// Takes the tags of all open pushes, when the connection ends.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.open.drain(..).map(|(_, tag)| tag)
    }
}

impl Budget {
    /// Whether `bytes` more may be pushed in the present window.
    fn has(&mut self, now: Instant, bytes: u64) -> bool {
        if now.saturating_duration_since(self.began) >= self.window {
            self.began = now;
            self.bytes = 0;
        }
        self.bytes.saturating_add(bytes) <= self.max_bytes
    }

    fn take(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The meaning of an error code of RST_STREAM (RFC 9113, section 7).
fn cancel_code(code: u32) -> CancelCode {
    match Reason::from(code) {
        Reason::CANCEL => CancelCode::Cancel,
        Reason::REFUSED_STREAM => CancelCode::Refused,
        _ => CancelCode::Other(code.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_meaning() {
        assert_eq!(cancel_code(8), CancelCode::Cancel);
        assert_eq!(cancel_code(7), CancelCode::Refused);
        assert_eq!(cancel_code(1), CancelCode::Other(1));
        assert_eq!(cancel_code(0xface), CancelCode::Other(0xface));
    }
}
