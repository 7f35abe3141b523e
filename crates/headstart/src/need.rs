//! In which order a page needs what is sent early.

use headstart_learn::Destination;
use headstart_policy::Priority;

/// Urgencies, in the terms of RFC 9218. 0 is the page's own.
const BLOCKING: u8 = 1;
const LEAST: u8 = 7;
/// The urgency of assets that browsers ask for urgently and that a page is drawn without: they come after those that block it.
const URGENT: u8 = 2;

/// How much a page needs an asset. An asset that it needs earlier compares as less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// The page is drawn without it, as far as is known.
    drawn_without: bool,
    /// The urgency (RFC 9218) of its response, 1 to 7.
    pub(crate) urgency: u8,
}

/// The need of a page for an asset as its markup says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// The page was not read, or not to its end, and so far it does not name the asset.
    Nothing,
    /// It names the asset; the urgency is `None` where the element does not tell whether the page waits for it.
    Named(Option<u8>),
    /// It was read to its end and does not name the asset: a stylesheet or a script does.
    Unnamed,
}

impl Need {
    /// `learned` is the urgency of the requests that browsers make by themselves.
    ///
    /// An asset that blocks keeps the urgency that browsers give it: a sibling that was not sent early has it as well, and must
    /// not overtake. All else is less urgent than what usually blocks: sent early, it would otherwise take the link from that.
    pub(crate) fn of(learned: Option<u8>, destination: Destination, cors: bool, says: Says) -> Self {
        let natural = learned.unwrap_or_else(|| usual_urgency(destination, cors));
        let may_block = matches!(destination, Destination::Script | Destination::Style);
        let (blocks, urgency) = match says {
            Says::Named(Some(urgency)) if may_block && urgency <= URGENT => (true, learned.unwrap_or(BLOCKING)),
            Says::Named(Some(urgency)) if urgency > URGENT => (false, natural.max(urgency)),
            // A module, which the page may not work without.
            Says::Named(_) | Says::Unnamed if destination == Destination::Script && cors => (false, natural),
            Says::Nothing if may_block => (natural <= URGENT, natural),
            _ => (false, natural.max(URGENT)),
        };
        Need { drawn_without: !blocks, urgency: urgency.clamp(BLOCKING, LEAST) }
    }

    /// Whether a browser would ask for a hinted asset more urgently than the page needs it: to stylesheets and scripts it
    /// gives the urgency of what blocks, whatever the page makes of them.
    pub(crate) fn is_overrated(self, destination: Destination) -> bool {
        self.urgency > URGENT && matches!(destination, Destination::Script | Destination::Style)
    }

    /// The priority of a push, for which a client never gives one, and of an asset that a 103 makes it ask for. Responses go
    /// out whole, since a part of an asset is of little use.
    pub(crate) fn priority(self) -> Priority {
        Priority { urgency: self.urgency, incremental: false }
    }
}

/// The urgency that browsers mostly give to assets of a destination.
///
/// Chromium 156 asks for stylesheets, fonts, modules and blocking scripts with urgency 0 or 1, for images with 2 or 3,
/// for `async` and `defer` scripts with 3. A module is told by its request mode, `cors`. Whether another script blocks
/// cannot be told, so these stand between.
fn usual_urgency(destination: Destination, cors: bool) -> u8 {
    match destination {
        Destination::Style => 1,
        Destination::Script if cors => 1,
        Destination::Font | Destination::Script => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Destination::{Font, Image, Script, Style};

    fn unread(learned: Option<u8>, destination: Destination, cors: bool) -> Need {
        Need::of(learned, destination, cors, Says::Nothing)
    }

    #[test]
    fn without_evidence_what_usually_blocks_comes_first() {
        let order = [(Style, false), (Script, false), (Font, true), (Image, false)];
        let needs = order.map(|(destination, cors)| unread(None, destination, cors));
        assert!(needs.is_sorted_by(|a, b| a < b), "{needs:?}");
        assert_eq!(unread(None, Script, true), unread(None, Style, false));
    }

    #[test]
    fn what_browsers_say_comes_before_what_is_usual() {
        let blocking = unread(Some(1), Script, false);
        let nobody_waits_for = unread(Some(4), Script, true);
        assert!(blocking < nobody_waits_for);
        assert_eq!(unread(Some(0), Style, false).urgency, 1, "nothing is as urgent as the page");
        assert_eq!(unread(Some(200), Image, false).urgency, 7);
        assert_eq!(unread(Some(0), Font, true).urgency, 2, "nothing is drawn later for want of a font");
    }

    #[test]
    fn what_blocks_is_as_urgent_as_its_siblings_that_nothing_is_said_of() {
        for learned in [None, Some(0), Some(1), Some(2)] {
            for says in [1, 2] {
                let need = Need::of(learned, Script, false, Says::Named(Some(says)));
                assert!(need.urgency <= learned.unwrap_or(1).max(1), "{learned:?}, {says}: {need:?}");
                assert!(!need.drawn_without);
            }
        }
    }

    #[test]
    fn what_a_page_read_to_its_end_does_not_name_never_comes_before_what_blocks() {
        let blocking = Need::of(Some(2), Script, false, Says::Named(Some(2)));
        for (destination, cors) in [(Style, false), (Script, false), (Script, true), (Font, true), (Image, false)] {
            for learned in [None, Some(0), Some(1)] {
                let late = Need::of(learned, destination, cors, Says::Unnamed);
                assert!(blocking < late, "{destination:?}, {learned:?}");
                let urgent = cors && destination == Script;
                assert!(urgent || late.urgency > 1, "{destination:?} takes the link from what blocks");
            }
        }
    }

    #[test]
    fn what_nobody_waits_for_is_as_urgent_as_its_element_says_at_most() {
        assert_eq!(Need::of(Some(1), Script, false, Says::Named(Some(3))).urgency, 3);
        assert_eq!(Need::of(Some(4), Style, false, Says::Named(Some(3))).urgency, 4);
        let first_image = Need::of(Some(3), Image, false, Says::Named(Some(1)));
        assert!(first_image.drawn_without && first_image.urgency > 1);
    }
}
