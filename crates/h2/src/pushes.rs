//! The pushes of one connection: which are open, and whether another may be made.

use std::collections::VecDeque;

use headstart_policy::{CancelCode, Diary, Outcome, Refusal};
use http::Uri;
use http::uri::PathAndQuery;
use tokio::time::Instant;

use crate::config::Config;
use crate::wire::{End, Ended, Wire, is_push};
use h2::Reason;

/// Finished pushes remembered to notice that the client cancelled one after all.
const MAX_FINISHED: usize = 64;

/// The book of promises. Bounded by [`Config::max_open_pushes`] and [`MAX_FINISHED`].
#[derive(Debug)]
pub(crate) struct Pushes<T> {
    open: Vec<(u32, T)>,
    finished: VecDeque<(u32, T)>,
    diary: Diary,
    cancelled: u32,
    /// Set when `h2` itself refused a promise: it knows something that the tap does not.
    refused: bool,
    window_began: Instant,
    window_bytes: u64,
}

impl<T: Clone> Pushes<T> {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Pushes {
            open: Vec::new(),
            finished: VecDeque::new(),
            diary: Diary::new(config.max_diary_entries),
            cancelled: 0,
            refused: false,
            window_began: now,
            window_bytes: 0,
        }
    }

    /// Whether the client takes pushes, as far as its settings and its deeds tell.
    pub(crate) fn wanted(&self, config: &Config, wire: &Wire, max_streams: usize) -> bool {
        wire.push_enabled()
            && !wire.goaway_received()
            && !self.refused
            && self.cancelled < config.max_cancelled_pushes
            && max_streams > 0
    }

    /// Whether a push of `bytes` may be promised now. `max_streams` is the client's
    /// SETTINGS_MAX_CONCURRENT_STREAMS: `h2` would hold a response beyond it back, and a RST_STREAM for a stream
    /// that is held back closes the connection. A push counts until its end is on the wire.
    pub(crate) fn allow(
        &mut self,
        config: &Config,
        max_streams: usize,
        now: Instant,
        bytes: u64,
    ) -> Result<(), Refusal> {
        if self.open.len() >= config.max_open_pushes.min(max_streams) {
            return Err(Refusal::Crowded);
        }
        if self.has_budget(config, now, bytes) { Ok(()) } else { Err(Refusal::Budget) }
    }

    /// Pays for `more` bytes of a push that turns out larger than it said, `all` of them being what it then costs.
    /// `false` if that is more than the connection may be sent, or one push alone.
    pub(crate) fn charge(&mut self, config: &Config, now: Instant, more: u64, all: u64) -> bool {
        let pays = all <= config.max_pushed_bytes && self.has_budget(config, now, more);
        if pays {
            self.window_bytes = self.window_bytes.saturating_add(more);
        }
        pays
    }

    fn has_budget(&mut self, config: &Config, now: Instant, bytes: u64) -> bool {
        if now.saturating_duration_since(self.window_began) >= config.push_window {
            self.window_began = now;
            self.window_bytes = 0;
        }
        self.window_bytes.saturating_add(bytes) <= config.max_pushed_bytes
    }

    /// Whether this version of the asset was promised already.
    pub(crate) fn repeated(&self, uri: &Uri, version: &[u8]) -> bool {
        self.diary.contains(uri.authority(), uri.path_and_query().map_or("", PathAndQuery::as_str), version)
    }

    pub(crate) fn promised(&mut self, id: u32, tag: T, uri: &Uri, version: &[u8], bytes: u64) {
        self.open.push((id, tag));
        self.diary.insert(uri.authority(), uri.path_and_query().map_or("", PathAndQuery::as_str), version);
        self.window_bytes = self.window_bytes.saturating_add(bytes);
    }

    pub(crate) fn refused_by_h2(&mut self) {
        self.refused = true;
    }

    /// What the end of a stream means for the push that it is.
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

    /// The end of a push is on the wire; its name, if it was open.
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

    /// A push was reset by us because the client opened no window for it: that is a way to say no.
    pub(crate) fn stalled(&mut self, id: u32) -> Option<T> {
        let tag = self.close(id)?;
        self.cancelled = self.cancelled.saturating_add(1);
        Some(tag)
    }

    /// A push was reset by us.
    pub(crate) fn close(&mut self, id: u32) -> Option<T> {
        let at = self.open.iter().position(|(open, _)| *open == id)?;
        Some(self.open.swap_remove(at).1)
    }

    /// Names of what is still open, when the connection ends.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.open.drain(..).map(|(_, tag)| tag)
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
