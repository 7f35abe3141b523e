//! Which elements are looked at.

/// Elements of which pages have many and which say nothing, the most frequent first.
const PASSED_OVER: &str = "div span li a p ul td path svg i br tr b em strong button h3 h2 code h4 option th dd dt label g section \
    article small figure figcaption sup time abbr cite dl ol tbody table form style title head html";

/// The elements that are looked at, as one selector: all but those that are passed over.
///
/// `lol_html` tries each selector of a list on each tag, but the parts of one selector only until one fails, from the last
/// to the first. So the names that say nothing cost less than a list of those that matter, which are few in a page.
pub(crate) fn selector() -> String {
    PASSED_OVER.split_ascii_whitespace().rev().flat_map(|name| [":not(", name, ")"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Collector, Then};
    use crate::{End, Location, Page};

    #[test]
    fn nothing_that_is_passed_over_matters() {
        for name in PASSED_OVER.split_ascii_whitespace() {
            let mut collector = Collector::new(Location::new("https", "a.example", "/").unwrap());
            for svg in [false, true] {
                assert_eq!(collector.element(name, svg, || panic!("{name} is looked at")), Then::Go);
            }
            assert_eq!(collector.finish(End::Whole), Page::default());
        }
    }
}
