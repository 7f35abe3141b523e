//! The name of a level, as parts of the page's path and query.

use std::fmt;

use crate::keys::{Keys, Text};
use crate::site::Site;

/// The name under which a page is known at one level; it is put together when it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelName<'p> {
    /// The first directory, which is the root for a page that is in none, and, after a space, the number of segments.
    Section {
        first: &'p str,
        depth: usize,
    },
    /// The path, whose parameters are shown as `*`.
    Template(&'p str),
    Page(&'p str),
    /// Path and query.
    Query(&'p str, &'p str),
}

/// Longest segment, in bytes, that is not taken for a parameter.
const MAX_WORD: usize = 20;

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

impl<'p> LevelName<'p> {
    pub(crate) fn section(page: &'p str) -> Self {
        let (mut slashes, mut first) = (0, 0..0);
        for (at, byte) in page.bytes().enumerate().take_while(|(_, byte)| *byte != b'?') {
            if byte == b'/' {
                slashes += 1;
                first = match slashes {
                    1 => at + 1..at + 1,
                    2 => first.start..at,
                    _ => first,
                };
            }
        }
        let first = if slashes > 1 { page.get(first).unwrap_or_default() } else { "" };
        Self::Section { first, depth: slashes.max(1) }
    }

    /// `None` for a page without parameters.
    pub(crate) fn template(page: &'p str) -> Option<Self> {
        let mut length = 0;
        let parameter = page.bytes().any(|byte| {
            length = if byte == b'/' { 0 } else { length + 1 };
            length > MAX_WORD || byte.is_ascii_digit() || byte == b'%'
        });
        parameter.then_some(Self::Template(page))
    }

    /// The key of the node with this name.
    pub(crate) fn key(self, keys: &Keys, site: Site) -> u64 {
        match self {
            Self::Section { .. } => keys.section(site.salt, &self),
            Self::Template(_) => keys.template(site.salt, &self),
            Self::Page(path) => keys.path(site, path),
            Self::Query(..) => keys.query(site, &self),
        }
    }
}

impl Text for LevelName<'_> {
    fn parts(&self, mut take: impl FnMut(&str)) {
        match *self {
            Self::Section { first, depth } => {
                take("/");
                take(first);
                take(" ");
                number(depth, &mut take);
            }
            Self::Template(page) => {
                for (at, segment) in page.split('/').enumerate() {
                    if at > 0 {
                        take("/");
                    }
                    take(if is_parameter(segment) { "*" } else { segment });
                }
            }
            Self::Page(path) => take(path),
            Self::Query(path, query) => {
                take(path);
                take("?");
                take(query);
            }
        }
    }
}

impl fmt::Display for LevelName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.parts(|part| result = result.and_then(|()| f.write_str(part)));
        result
    }
}

impl From<LevelName<'_>> for Box<str> {
    fn from(name: LevelName<'_>) -> Self {
        name.to_string().into()
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.len() > MAX_WORD || segment.bytes().any(|byte| byte.is_ascii_digit() || byte == b'%')
}

fn number(value: usize, take: &mut impl FnMut(&str)) {
    if value > 9 {
        number(value / 10, take);
    }
    take(DIGITS.get(value % 10).copied().unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_stars() {
        let template = |page| LevelName::template(page).map_or(String::from(page), |name| name.to_string());
        for (page, expected) in [
            ("/", "/"),
            ("/blog/about", "/blog/about"),
            ("/blog/2015/hello-world", "/blog/*/hello-world"),
            ("/a/%20b/", "/a/*/"),
            ("/p/this-is-a-rather-long-title", "/p/*"),
            ("", ""),
        ] {
            assert_eq!(template(page), expected);
        }
    }

    #[test]
    fn sections_tell_depth() {
        let section = |page| LevelName::section(page).to_string();
        assert_eq!(section("/"), "/ 1");
        assert_eq!(section("/blog"), "/ 1");
        assert_eq!(section("/blog/"), "/blog 2");
        assert_eq!(section("/blog/x?y=/z/"), "/blog 2");
        let deep = "/x".repeat(123);
        assert_eq!(section(&deep), "/x 123");
        assert_eq!(section(""), "/ 1");
    }

    #[test]
    fn a_name_in_parts_has_the_key_of_the_whole() {
        let (keys, site) = (Keys::new([5; 16]), Site { index: 0, salt: 9 });
        let page = "/blog/2015/a-rather-long-name-of-a-post";
        for name in [LevelName::section(page), LevelName::Template(page), LevelName::Query(page, "p=1")] {
            let whole = match name {
                LevelName::Section { .. } => keys.section(site.salt, &*name.to_string()),
                LevelName::Template(_) => keys.template(site.salt, &*name.to_string()),
                LevelName::Page(_) | LevelName::Query(..) => keys.query(site, &*name.to_string()),
            };
            assert_eq!(name.key(&keys, site), whole, "{name}");
        }
    }
}
