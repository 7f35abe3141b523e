//! The page's location, and the resolution of its references (URL standard, 4.4).

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Longest path with query that is resolved, bytes.
pub const MAX_PATH_BYTES: usize = 512;

/// Longest authority, bytes.
const MAX_AUTHORITY_BYTES: usize = 255;

/// The URL of a page, without query and fragment: what its references are relative to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    origin: Box<str>,
    path: Box<str>,
}

/// The target of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Path with query on the page's own origin.
    Own(Box<str>),
    /// An origin: scheme, host, and port where it is not the scheme's.
    Other(Box<str>),
}

/// A scheme, an authority or a path that no page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidLocation;

impl Location {
    /// The page at `scheme://authority/path`. A query is dropped.
    ///
    /// # Errors
    ///
    /// If the scheme is neither `http` nor `https`, or authority or path cannot be those of a page.
    pub fn new(scheme: &str, authority: &str, path: &str) -> Result<Self, InvalidLocation> {
        let scheme = scheme_of(scheme).ok_or(InvalidLocation)?;
        let origin = origin(scheme, authority).ok_or(InvalidLocation)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if !path.starts_with('/') {
            return Err(InvalidLocation);
        }
        Ok(Location { origin, path: path.into() })
    }

    fn scheme(&self) -> &'static str {
        if self.origin.starts_with("https:") { "https" } else { "http" }
    }

    /// Where a reference in the page leads; `None` where it is empty, malformed, too long, or of a scheme that is
    /// not fetched over HTTP.
    pub fn resolve(&self, reference: &str) -> Option<Target> {
        self.resolve_from(self, reference)
    }

    /// As [`resolve`](Self::resolve), with another base: that of a `<base href>`.
    pub(crate) fn resolve_from(&self, base: &Location, reference: &str) -> Option<Target> {
        if is_written(reference) && base.origin == self.origin {
            return (reference.len() <= MAX_PATH_BYTES).then(|| Target::Own(reference.into()));
        }
        let (origin, path) = join(base, reference)?;
        if *origin != *self.origin {
            return Some(Target::Other(origin.into()));
        }
        (path.len() <= MAX_PATH_BYTES && is_path(&path)).then(|| Target::Own(path.into()))
    }

    /// The base that a `<base href>` makes of this one.
    pub(crate) fn rebase(&self, href: &str) -> Option<Location> {
        let (origin, path) = join(self, href)?;
        let path = path.split('?').next().unwrap_or_default();
        Some(Location { origin: origin.into(), path: path.into() })
    }
}

/// To browsers and servers alike what begins with two slashes names a host.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//")
}

/// Whether a reference is a path already, as it stands in a request: most are.
fn is_written(reference: &str) -> bool {
    let mut last = 0;
    let plain = |byte: u8| {
        let dot_segment = byte == b'.' && last == b'/';
        last = byte;
        is_plain(byte) && !dot_segment
    };
    is_path(reference) && reference.bytes().all(plain)
}

/// Bytes that mean nothing in a path or query, and are not escaped in either.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'.' | b'-' | b'_' | b'~' | b'?' | b'=' | b'&' | b'@' | b'+' | b',' | b':' | b';' | b'!'
        )
}

/// Origin and path with query of a reference.
fn join<'a>(base: &'a Location, reference: &str) -> Option<(Cow<'a, str>, String)> {
    // Four times as much as is kept, as escapes grow; data URLs end here.
    if reference.len() > 4 * MAX_PATH_BYTES || reference.contains('\u{fffd}') {
        return None;
    }
    let reference = reference.trim_matches(|char: char| char <= ' ');
    let reference: String = reference.chars().filter(|char| !matches!(char, '\t' | '\n' | '\r')).collect();
    let reference = reference.split('#').next().unwrap_or_default();
    if reference.is_empty() {
        return None;
    }
    let (scheme, rest) = match scheme_end(reference) {
        Some(end) => (Some(scheme_of(reference.get(..end)?)?), reference.get(end + 1..)?),
        None => (None, reference),
    };
    let slash = |char: char| matches!(char, '/' | '\\');
    let after_slashes = rest.trim_start_matches(slash);
    let slashes = rest.len() - after_slashes.len();
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    if slashes >= 2 || (scheme.is_some() && scheme != Some(base.scheme())) {
        let end = after_slashes.find(|char: char| slash(char) || char == '?').unwrap_or(after_slashes.len());
        let (authority, path) = after_slashes.split_at_checked(end)?;
        let origin = origin(scheme.unwrap_or(base.scheme()), authority)?;
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        return Some((Cow::Owned(origin.into()), written(path, query)));
    }
    let path = if path.starts_with(slash) {
        Cow::Borrowed(path)
    } else if path.is_empty() {
        Cow::Borrowed(&*base.path)
    } else {
        let directory = base.path.rfind('/').and_then(|slash| base.path.get(..=slash)).unwrap_or("/");
        Cow::Owned(format!("{directory}{path}"))
    };
    Some((Cow::Borrowed(&*base.origin), written(&path, query)))
}

/// The index of the colon after the scheme.
fn scheme_end(reference: &str) -> Option<usize> {
    let end = reference.find(':')?;
    let scheme = reference.get(..end)?.as_bytes();
    let (first, others) = scheme.split_first()?;
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    (first.is_ascii_alphabetic() && others.iter().all(inner)).then_some(end)
}

fn scheme_of(scheme: &str) -> Option<&'static str> {
    ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))
}

/// `scheme://host[:port]`, without a port that is the scheme's. Names that are not ASCII are not resolved.
fn origin(scheme: &'static str, authority: &str) -> Option<Box<str>> {
    let mut authority = authority.to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    if let Some(host) = authority.strip_suffix(default) {
        authority.truncate(host.len());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    let sound = !authority.is_empty() && authority.len() <= MAX_AUTHORITY_BYTES && authority.bytes().all(allowed);
    sound.then(|| format!("{scheme}://{authority}").into())
}

/// Path and query as they stand in a request: dot segments removed, and escaped what a URL cannot hold.
fn written(path: &str, query: Option<&str>) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.split(['/', '\\']).skip(1).peekable();
    while let Some(segment) = parts.next() {
        let last = parts.peek().is_none();
        match dots(segment) {
            1 if last => segments.push(""),
            1 => {}
            2 => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            _ => segments.push(segment),
        }
    }
    let mut written = String::with_capacity(path.len() + 1);
    for segment in &segments {
        written.push('/');
        escape(segment, |byte| matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'^'), &mut written);
    }
    if written.is_empty() {
        written.push('/');
    }
    if let Some(query) = query {
        written.push('?');
        escape(query, |byte| matches!(byte, b'"' | b'<' | b'>' | b'\''), &mut written);
    }
    written
}

/// 1 for `.`, 2 for `..`, however they are written.
fn dots(segment: &str) -> usize {
    if segment.len() > 6 || !segment.starts_with(['.', '%']) {
        return 0;
    }
    match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
        "." => 1,
        ".." => 2,
        _ => 0,
    }
}

fn escape(text: &str, also: impl Fn(u8) -> bool, to: &mut String) {
    if text.bytes().all(is_plain) {
        to.push_str(text);
        return;
    }
    for char in text.chars() {
        if char.is_ascii_graphic() && !also(char as u8) {
            to.push(char);
            continue;
        }
        let mut buffer = [0; 4];
        for byte in char.encode_utf8(&mut buffer).bytes() {
            // Writing to a string does not fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

impl fmt::Display for InvalidLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the location of a page: the scheme is http or https, and the path begins with a slash")
    }
}

impl std::error::Error for InvalidLocation {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page() -> Location {
        Location::new("https", "a.example", "/dir/page?q").unwrap()
    }

    #[track_caller]
    fn own(reference: &str, path: &str) {
        assert_eq!(page().resolve(reference), Some(Target::Own(path.into())), "{reference:?}");
    }

    #[test]
    fn references_of_the_same_origin() {
        for (reference, path) in [
            ("a.css", "/dir/a.css"),
            (" \n./a.css\t", "/dir/a.css"),
            ("../a.css", "/a.css"),
            ("../../../a.css", "/a.css"),
            ("/x/./y/../a.css?v=1#f", "/x/a.css?v=1"),
            ("/x/%2E%2e/a.css", "/a.css"),
            ("/x/..", "/"),
            ("/x/.", "/x/"),
            ("\\x\\a.css", "/x/a.css"),
            ("?v=2", "/dir/page?v=2"),
            ("//A.example/a.css", "/a.css"),
            ("https://a.example:443", "/"),
            ("https:/a.css", "/a.css"),
            ("https:a.css", "/dir/a.css"),
            ("HTTPS:\\\\a.example\\a.css", "/a.css"),
            ("/a b.css", "/a%20b.css"),
            ("/caf\u{e9}.css?\u{e9}'", "/caf%C3%A9.css?%C3%A9%27"),
            ("/a\n.css", "/a.css"),
            ("/f@2x.png,x", "/f@2x.png,x"),
        ] {
            own(reference, path);
        }
    }

    #[test]
    fn references_of_other_origins() {
        for (reference, origin) in [
            ("//b.example/a.css", "https://b.example"),
            ("https://B.example:8443/a.css", "https://b.example:8443"),
            ("http://a.example/a.css", "http://a.example"),
            ("http://b.example:80?x", "http://b.example"),
            ("https:////b.example/x", "https://b.example"),
            ("https://[::1]:1/x", "https://[::1]:1"),
        ] {
            assert_eq!(page().resolve(reference), Some(Target::Other(origin.into())), "{reference:?}");
        }
    }

    #[test]
    fn what_is_not_fetched() {
        for reference in [
            "",
            " ",
            "#x",
            "data:text/css,x",
            "blob:x",
            "javascript:x",
            "https://",
            "https://u@b.example/",
            "/\u{fffd}",
        ] {
            assert_eq!(page().resolve(reference), None, "{reference:?}");
        }
        assert_eq!(page().resolve(&format!("/{}", "a".repeat(MAX_PATH_BYTES))), None);
    }

    #[test]
    fn locations_are_checked() {
        assert!(Location::new("ftp", "a.example", "/").is_err());
        assert!(Location::new("https", "a example", "/").is_err());
        assert!(Location::new("https", "", "/").is_err());
        assert!(Location::new("https", "a.example", "x").is_err());
        assert_eq!(Location::new("HTTP", "A.example:80", "/").unwrap().origin.as_ref(), "http://a.example");
    }

    proptest! {
        #[test]
        fn any_reference_is_resolved_soundly(reference in ".{0,80}") {
            if let Some(Target::Own(path)) = page().resolve(&reference) {
                prop_assert!(is_path(&path) && path.bytes().all(|byte| byte.is_ascii_graphic()), "{}", path);
                // What was resolved leads to itself.
                prop_assert_eq!(page().resolve(&path), Some(Target::Own(path.clone())));
            }
        }

        /// The short way leads where the long one does.
        #[test]
        fn what_is_written_already_stays(reference in "[/a-b.?=&@%:;!,+~_-]{0,12}") {
            if is_written(&reference) {
                let page = page();
                let (origin, path) = join(&page, &reference).unwrap();
                prop_assert_eq!((&*origin, &*path), ("https://a.example", &*reference));
            }
        }

        #[test]
        fn references_made_of_parts(parts in proptest::collection::vec(
            proptest::sample::select(vec!["/", "\\", "..", ".", "%2e", "a", "?", "#", ":", "https", "//", "@", " ", "\t"]), 0..12,
        )) {
            if let Some(Target::Own(path)) = page().resolve(&parts.concat()) {
                prop_assert_eq!(page().resolve(&path), Some(Target::Own(path.clone())));
            }
        }
    }
}
