//! Decisions for a page, as middleware that sees the request and not the engine can read them.

use std::sync::{Arc, OnceLock};

use crate::view::Decision;

/// In the extensions of a navigation's request: filled in when the page's head goes out, for an access log that
/// writes its line at the end of the response. A clone sees what the original sees.
#[derive(Clone, Debug, Default)]
pub struct Decided(Arc<OnceLock<DecidedCounts>>);

/// How many assets of one page view were dealt with in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecidedCounts {
    /// The number promised with PUSH_PROMISE.
    pub pushed: u32,
    /// Named in a 103.
    pub hinted: u32,
    /// Named in `Link` only.
    pub linked: u32,
    /// Known to be held by the client.
    pub held: u32,
    /// The view got nothing, as evidence.
    pub held_out: bool,
}

impl Decided {
    /// The counts; `None` before the head went out, and for a response that shows no page.
    pub fn get(&self) -> Option<DecidedCounts> {
        self.0.get().copied()
    }

    pub(crate) fn set(&self, held_out: bool, decisions: impl Iterator<Item = Decision>) {
        let mut counts = DecidedCounts { held_out, ..DecidedCounts::default() };
        for decision in decisions {
            match decision {
                Decision::Held => counts.held += 1,
                Decision::Hinted => counts.hinted += 1,
                Decision::Linked => counts.linked += 1,
                Decision::Pushed => counts.pushed += 1,
                Decision::HeldOut | Decision::Omitted(_) => {}
            }
        }
        // Decided once: a second head does not go out.
        let _ = self.0.set(counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Reason;

    #[test]
    fn a_clone_sees_what_was_decided_first() {
        let decided = Decided::default();
        let seen = decided.clone();
        assert_eq!(seen.get(), None);
        let decisions =
            [Decision::Pushed, Decision::Pushed, Decision::Held, Decision::Omitted(Reason::Budget), Decision::Linked];
        decided.set(false, decisions.into_iter());
        decided.set(true, std::iter::empty());
        let expected = DecidedCounts { pushed: 2, hinted: 0, linked: 1, held: 1, held_out: false };
        assert_eq!(seen.get(), Some(expected));
    }
}
