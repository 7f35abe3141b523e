//! PRIORITY_UPDATE frames (RFC 9218, section 7.1), which `h2` ignores: the tap notes them, the driver applies them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use h2::Reason;
use headstart_policy::Priority;

/// Updates that wait, most of them for streams that are not opened yet. 12 bytes each; the oldest gives way. A
/// client has no use for more than the streams that it may open, which are as many by default.
const MAX_WAITING: usize = 128;

/// The priorities that the client has sent and the driver has not applied.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    /// Whether `waiting` holds anything, and anything that the driver has not seen.
    any: AtomicBool,
    fresh: AtomicBool,
    waiting: Mutex<Vec<(u32, Priority)>>,
    /// The error code of a frame that breaks the rules; 0 for none.
    fault: AtomicU32,
}

impl Updates {
    /// A frame of the kind has begun.
    pub(crate) fn begun(&self, stream: u32, length: u32) {
        if stream != 0 {
            self.fault.store(Reason::PROTOCOL_ERROR.into(), Relaxed);
        } else if length < 4 {
            self.fault.store(Reason::FRAME_SIZE_ERROR.into(), Relaxed);
        }
    }

    pub(crate) fn note(&self, stream: u32, priority: Priority) {
        if stream == 0 {
            self.fault.store(Reason::PROTOCOL_ERROR.into(), Relaxed);
            return;
        }
        let Ok(mut waiting) = self.waiting.lock() else { return };
        waiting.retain(|(other, _)| *other != stream);
        if waiting.len() >= MAX_WAITING {
            waiting.remove(0);
        }
        waiting.push((stream, priority));
        self.any.store(true, Relaxed);
        self.fresh.store(true, Relaxed);
    }

    /// The rule that was broken, as the code of a connection error.
    pub(crate) fn fault(&self) -> Option<Reason> {
        match self.fault.load(Relaxed) {
            0 => None,
            code => Some(code.into()),
        }
    }

    /// Takes the update of a stream that opens now.
    pub(crate) fn take(&self, stream: u32) -> Option<Priority> {
        if !self.any.load(Relaxed) {
            return None;
        }
        let mut waiting = self.waiting.lock().ok()?;
        let at = waiting.iter().position(|(other, _)| *other == stream)?;
        let (_, priority) = waiting.remove(at);
        self.any.store(!waiting.is_empty(), Relaxed);
        Some(priority)
    }

    /// Takes the updates of streams that are open or were, the client's being those up to `highest`.
    pub(crate) fn take_opened(&self, highest: u32) -> Vec<(u32, Priority)> {
        if !self.fresh.swap(false, Relaxed) {
            return Vec::new();
        }
        let Ok(mut waiting) = self.waiting.lock() else {
            return Vec::new();
        };
        let opened = |stream: u32| stream <= highest || stream.is_multiple_of(2);
        let taken = waiting.iter().copied().filter(|(stream, _)| opened(*stream)).collect();
        waiting.retain(|(stream, _)| !opened(*stream));
        self.any.store(!waiting.is_empty(), Relaxed);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urgency(urgency: u8) -> Priority {
        Priority { urgency, incremental: false }
    }

    #[test]
    fn an_update_waits_for_its_stream() {
        let updates = Updates::default();
        for (stream, u) in [(1, 1), (9, 5), (7, 2), (9, 6), (4, 0)] {
            updates.note(stream, urgency(u));
        }
        assert_eq!(updates.take_opened(5), [(1, urgency(1)), (4, urgency(0))]);
        assert_eq!(updates.take_opened(9), [], "nothing new");
        assert_eq!((updates.take(9), updates.take(9), updates.take(7)), (Some(urgency(6)), None, Some(urgency(2))));
        assert!(updates.fault().is_none() && !updates.any.load(Relaxed));
    }

    #[test]
    fn the_oldest_gives_way() {
        let updates = Updates::default();
        (0..=MAX_WAITING as u32).for_each(|n| updates.note(2 * n + 1, urgency(1)));
        assert_eq!((updates.take(1), updates.take(3)), (None, Some(urgency(1))));
    }

    #[test]
    fn rules_are_kept() {
        let fault = |act: fn(&Updates)| {
            let updates = Updates::default();
            act(&updates);
            updates.fault()
        };
        assert_eq!(fault(|updates| updates.begun(0, 4)), None);
        assert_eq!(fault(|updates| updates.begun(1, 4)), Some(Reason::PROTOCOL_ERROR));
        assert_eq!(fault(|updates| updates.begun(0, 3)), Some(Reason::FRAME_SIZE_ERROR));
        assert_eq!(fault(|updates| updates.note(0, urgency(1))), Some(Reason::PROTOCOL_ERROR));
    }
}
