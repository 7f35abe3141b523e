//! In which order a page needs what is sent early.

use headstart_learn::Destination;
use headstart_policy::Priority;

/// Urgencies of assets, in the terms of RFC 9218. 0 is the page's own.
const URGENCIES: std::ops::RangeInclusive<u8> = 1..=7;

/// The urgency of an asset for a page: what browsers say of it when they ask for it by themselves, else what its
/// destination tells. A font comes after what blocks: browsers ask for it urgently, but only when they draw.
pub(crate) fn urgency(learned: Option<u8>, destination: Destination, cors: bool) -> u8 {
    let least = if destination == Destination::Font { 2 } else { *URGENCIES.start() };
    learned.unwrap_or_else(|| usual_urgency(destination, cors)).clamp(least, *URGENCIES.end())
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

/// Whether a browser would ask for a hinted asset more urgently than the page needs it: to stylesheets and scripts it gives
/// the urgency of what blocks, whatever the page makes of them.
pub(crate) fn is_overrated(urgency: u8, destination: Destination) -> bool {
    urgency > 2 && matches!(destination, Destination::Script | Destination::Style)
}

/// The priority of a push, for which a client never gives one, and of an asset that a 103 makes it ask for. Responses go
/// out whole, since a part of an asset is of little use.
pub(crate) fn priority(urgency: u8) -> Priority {
    Priority { urgency, incremental: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_evidence_what_usually_blocks_comes_first() {
        let order = [(Destination::Style, false), (Destination::Script, false), (Destination::Image, false)];
        let urgencies = order.map(|(destination, cors)| urgency(None, destination, cors));
        assert!(urgencies.is_sorted_by(|a, b| a < b));
        assert_eq!(urgency(None, Destination::Script, true), urgency(None, Destination::Style, false));
    }

    #[test]
    fn what_browsers_say_comes_before_what_is_usual() {
        let blocking = urgency(Some(1), Destination::Script, false);
        let nobody_waits_for = urgency(Some(4), Destination::Script, true);
        assert!(blocking < nobody_waits_for);
        assert_eq!(urgency(Some(0), Destination::Style, false), 1, "nothing is as urgent as the page");
        assert_eq!(urgency(Some(200), Destination::Image, false), 7);
        assert_eq!(urgency(Some(0), Destination::Font, true), 2, "nothing is drawn later for want of a font");
    }
}
