//! Patterns of paths.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};

/// A glob over the decoded path of a file below the served directory.
///
/// `*` is any run of letters within a component, `**` any components, `?` one letter, `[a-z]` a class, `{a,b}` either.
/// A pattern without a slash is about the last component wherever it is (`*.css`); one with a slash is about the whole
/// path, and a slash in front of it may be left out (`/assets/**`). Matching is linear in the path.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
    whole: bool,
}

/// Why a text is no pattern.
#[derive(Debug, Clone)]
pub struct PatternError(globset::Error);

impl Pattern {
    /// Does it match the path, which begins without a slash?
    pub fn matches(&self, path: &str) -> bool {
        let last = || path.rsplit_once('/').map_or(path, |(_, last)| last);
        self.matcher.is_match(if self.whole { path } else { last() })
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let glob = text.strip_prefix('/').unwrap_or(text);
        let built = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build();
        let matcher = built.map_err(PatternError)?.compile_matcher();
        Ok(Self { text: text.to_owned(), matcher, whole: text.contains('/') })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind())
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        let matches = |pattern: &str, path: &str| pattern.parse::<Pattern>().unwrap().matches(path);
        for (pattern, path) in [
            ("*.css", "app.css"),
            ("*.css", "a/b/app.css"),
            ("/*.css", "app.css"),
            ("/assets/**", "assets/a/b.js"),
            ("assets/*", "assets/b.js"),
            ("**/img/*.{png,webp}", "img/a.webp"),
            ("**/img/*.{png,webp}", "a/img/a.png"),
            ("/**", "x"),
            ("/index.html", "index.html"),
            ("v[0-9]*", "a/v2"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.css", "app.css.map"),
            ("/*.css", "a/app.css"),
            ("assets/*", "assets/a/b.js"),
            ("/assets/**", "other/assets/a.js"),
            ("*.css", "a.css/b"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        for bad in ["[", "{a", "a[z-a]"] {
            let error = bad.parse::<Pattern>().unwrap_err().to_string();
            assert!(!error.is_empty() && !error.contains('\n'), "{error:?}");
        }
    }
}
