//! Media query lists (Media Queries 4), as far as it matters whether screens match.

/// Whether a browser on a screen may match the list: false where each query names another medium, as `print` does.
/// Widths, resolutions and what cannot be read count as matched.
pub fn matches_screens(media: &str) -> bool {
    media.trim().is_empty() || media.split(',').any(query_matches)
}

fn query_matches(query: &str) -> bool {
    let mut words = query.split_ascii_whitespace();
    let mut first = words.next().unwrap_or_default();
    let mut negated = false;
    if first.eq_ignore_ascii_case("only") {
        first = words.next().unwrap_or_default();
    } else if first.eq_ignore_ascii_case("not") {
        first = words.next().unwrap_or_default();
        negated = true;
    }
    let is = |name: &str| first.eq_ignore_ascii_case(name);
    if first.starts_with('(') || first.is_empty() {
        return true;
    }
    let names_screens = is("all") || is("screen");
    if negated {
        // `not screen and (...)` may still match where the condition does not hold.
        !names_screens || words.next().is_some()
    } else {
        names_screens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_media_are_excluded() {
        for media in ["", " ", "all", "screen", "SCREEN and (min-width: 600px)", "(max-width: 600px)", "print, screen"]
        {
            assert!(matches_screens(media), "{media:?}");
        }
        for media in ["only screen", "not print", "not all and (monochrome)", "not (print)"] {
            assert!(matches_screens(media), "{media:?}");
        }
        for media in
            ["print", "Print", "not all", "not screen", "speech", "only print and (color)", "print, tty", "never"]
        {
            assert!(!matches_screens(media), "{media:?}");
        }
    }
}
