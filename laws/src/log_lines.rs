//! Any lines as an access log, in any format: each is read or refused, and what is shown of it moves no cursor.

use crate::server::access_log::{Format, Parsed, Reader};
use crate::server::printable::printable;

/// One input: the lines.
///
/// # Panics
///
/// If the law is broken.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for format in [Format::Auto, Format::Combined, Format::VhostCombined, Format::Json, Format::W3c] {
        let mut reader = Reader::new(format);
        for line in text.lines().take(64) {
            if let Parsed::Line(found) = reader.parse(line) {
                assert!(found.method.len() + found.target.len() <= 4 * line.len() + 8, "{found:?}");
            }
            let shown = printable(line);
            assert!(!shown.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{shown:?}");
        }
    }
}
