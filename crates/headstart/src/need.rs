//! In which order a page needs what is sent early.

use headstart_learn::Destination;
use headstart_policy::Priority;

/// The urgencies there are, the most urgent first.
pub(crate) const URGENCIES: std::ops::RangeInclusive<u8> = 1..=3;

/// How urgent an asset is, in the terms of RFC 9218: what a page is not drawn or does not run without comes before the
/// rest. Never 0, which is the page's own.
///
/// Chromium 156 asks for stylesheets, fonts, modules and blocking scripts with urgency 0 or 1, for images with 2 or 3,
/// for `async` and `defer` scripts with 3. A module is told by its request mode, `cors`. Whether another script blocks
/// cannot be told, so these stand between.
pub(crate) fn urgency(destination: Destination, cors: bool) -> u8 {
    match destination {
        Destination::Font | Destination::Style => 1,
        Destination::Script if cors => 1,
        Destination::Script => 2,
        _ => 3,
    }
}

/// The priority of a push, for which the client never says one, and of what a 103 has it ask for. Each goes out whole,
/// since a part of it is of little use.
pub(crate) fn priority(destination: Destination, cors: bool) -> Priority {
    Priority { urgency: urgency(destination, cors), incremental: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_comes_first() {
        let order = [(Destination::Style, false), (Destination::Script, false), (Destination::Image, false)];
        let urgencies = order.map(|(destination, cors)| urgency(destination, cors));
        assert!(urgencies.is_sorted_by(|a, b| a < b));
        assert_eq!(urgency(Destination::Script, true), urgency(Destination::Style, false));
        assert!(urgencies.iter().all(|urgency| URGENCIES.contains(urgency)));
    }
}
