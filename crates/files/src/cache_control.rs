//! How long others may keep a file.

use http::HeaderValue;

/// For a year, unseen: the name changes with the content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Kept by the client alone, and asked about each time: a document carries the fingerprint cookie of one client, which
/// must not reach others through a shared cache.
const DOCUMENT: &str = "private, no-cache";
/// Kept, and asked about after ten seconds. With none at all, what a 103 makes a browser fetch would be fetched once
/// more by the page (Chromium 156 asks again for what is not fresh); a change shows ten seconds later at most.
pub(super) const REVALIDATE: &str = "public, max-age=10, must-revalidate";

/// The `Cache-Control` of a file of this name.
pub(super) fn cache_control(name: &str, is_document: bool) -> HeaderValue {
    HeaderValue::from_static(if is_document {
        DOCUMENT
    } else if is_fingerprinted(name) {
        IMMUTABLE
    } else {
        REVALIDATE
    })
}

/// Does the name hold a hash of the content?
///
/// The rule: before the extension stands a run of eight or more hexadecimal digits, at least one of them a letter,
/// between `.` or `-` in front and `.` behind: `app.3f2a91c4.css`, `photo-9c1b3d5e7f.webp`. The letter keeps dates
/// out: `report-20260101.pdf` may change. One hash of eight digits in 43 has no letter; such a file is asked about
/// each time, which is slower but never wrong.
pub(super) fn is_fingerprinted(name: &str) -> bool {
    let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
    let Some((stem, _extension)) = file.rsplit_once('.') else {
        return false;
    };
    // `app.3f2a91c4.min.css` and `main.3f2a91c4.js.map` count too.
    let mut before = false;
    for piece in stem.split('.') {
        let run = match piece.rsplit_once('-') {
            Some((_, run)) => run,
            None if before => piece,
            None => "",
        };
        if run.len() >= 8 && run.bytes().all(|b| b.is_ascii_hexdigit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
        {
            return true;
        }
        before = true;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints() {
        for name in [
            "app.3f2a91c4.css",
            "assets/app.3f2a91c4.css",
            "photo-9c1b3d5e7f.webp",
            "main.3f2a91c4.js.map",
            "app.3F2A91C4.min.css",
            "two-words-0a0a0a0a.js",
        ] {
            assert!(is_fingerprinted(name), "{name}");
        }
        for name in [
            "app.css",
            "3f2a91c4.css",
            "3f2a91c4",
            "app.3f2a91c4",
            "app.3f2a91c.css",
            "app.3f2a91cg.css",
            "app3f2a91c4.css",
            "report-20260101.pdf",
            "dir.3f2a91c4.d/app.css",
            "a-3f2a91c4/app.css",
            "",
            ".",
        ] {
            assert!(!is_fingerprinted(name), "{name}");
        }
    }

    #[test]
    fn documents_are_private_whatever_their_name() {
        assert_eq!(cache_control("page.3f2a91c4.html", true), DOCUMENT);
        assert_eq!(cache_control("app.3f2a91c4.css", false), IMMUTABLE);
        assert_eq!(cache_control("app.css", false), REVALIDATE);
    }
}
