//! How much of a response may be under way before its client takes it.
//!
//! What a client does not take stays here. `h2` gives a window back to stream and connection at once, so a window of the
//! connection that is smaller than those of all streams together would let slow clients hold up the others; one that is
//! as large would hold much memory. So the connection's window never is the limit, and the streams' windows shrink as
//! their number grows.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Streams open in this process, with a response that is not whole.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Up to so many streams have windows of so many bytes. In all: 8 of 256 KiB, 24 of 64 KiB and 992 of 8 KiB are
/// 11.25 MiB, the most that 1,024 clients who take nothing can make the process hold.
const LEVELS: [(usize, u32); 2] = [(8, 256 << 10), (32, 64 << 10)];
const LEAST: u32 = 8 << 10;

/// The window of a connection: more than all its streams together ever have.
pub(super) const CONNECTION: u32 = 32 << 20;

/// Counts as an open stream while it lives.
pub(super) struct OpenStream(());

impl OpenStream {
    pub(super) fn new() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        OpenStream(())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The window that each stream is to have now, bytes.
pub(super) fn size() -> u32 {
    size_for(OPEN.load(Ordering::Relaxed))
}

fn size_for(open: usize) -> u32 {
    LEVELS.iter().find(|(most, _)| open <= *most).map_or(LEAST, |(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_that_is_documented() {
        let all: u64 = (1..=1024).map(|open| u64::from(size_for(open))).sum();
        assert_eq!(all, (11 << 20) + (256 << 10));
    }
}
