//! Text that clients sent, made safe for a terminal and a log.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows control characters, line separators and characters that change the direction of what follows, as escapes. Costs
/// a look at each character where there is none of these.
pub(crate) fn printable(line: &str) -> Cow<'_, str> {
    if !line.chars().any(is_unsafe) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_unsafe(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// C0, DEL and C1; line and paragraph separator; marks, embeddings, overrides and isolates of the bidirectional algorithm
/// (Unicode Standard Annex 9); what has no width and hides the rest.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_the_direction_is_shown() {
        assert_eq!(printable("/caf\u{e9} ok"), "/café ok");
        assert_eq!(printable("a\u{1b}[2Jb\u{9b}\nc"), "a\\u{1b}[2Jb\\u{9b}\\u{a}c");
        assert_eq!(printable("gnp.\u{202e}exe"), "gnp.\\u{202e}exe");
        for c in ['\u{0}', '\u{85}', '\u{2028}', '\u{2066}', '\u{200f}', '\u{feff}'] {
            assert!(!printable(&format!("a{c}b")).contains(c), "{c:?}");
        }
        assert!(matches!(printable("日本語 עברית"), Cow::Borrowed(_)));
    }
}
