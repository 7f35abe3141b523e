//! The names under which a page is known: itself, its template, its section.

use std::borrow::Cow;

use crate::keys::Keys;
use crate::site::Site;

/// How much a node stands for. Coarser levels lend their opinion to finer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Level {
    /// The first segment of the path, and the number of segments.
    Section,
    /// The path with every segment that looks like a parameter replaced by `*`.
    Template,
    /// The path itself.
    Page,
    /// The path with what tells pages apart of its query.
    Query,
}

impl Level {
    /// Whether a node of this level is one page, and not what many have in common.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::Query)
    }

    /// The number of a level in a snapshot.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Section => 0,
            Self::Template => 1,
            Self::Page => 2,
            Self::Query => 3,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Section, Self::Template, Self::Page, Self::Query].get(usize::from(code)).copied()
    }

    /// The key of the node of this level with this name.
    pub(crate) fn key(self, keys: &Keys, site: Site, name: &str) -> u64 {
        match self {
            Self::Section => keys.section(site.salt, name),
            Self::Template => keys.template(site.salt, name),
            Self::Page => keys.path(site, name),
            Self::Query => keys.query(site, name),
        }
    }
}

/// The levels of a page from coarse to fine, each with its name.
///
/// A page without parameters is its own template and has no level of that kind.
pub(crate) fn levels(page: &str) -> impl Iterator<Item = (Level, Cow<'_, str>)> {
    let section = Some((Level::Section, Cow::Owned(section(page))));
    let template = template(page).map(|name| (Level::Template, Cow::Owned(name)));
    let page = Some((Level::Page, Cow::Borrowed(page)));
    [section, template, page].into_iter().flatten()
}

/// Longest segment, in bytes, that is not taken for a parameter.
const MAX_WORD: usize = 20;

/// The page with its parameters replaced, if it has any.
fn template(page: &str) -> Option<String> {
    let is_parameter =
        |segment: &[u8]| segment.len() > MAX_WORD || segment.iter().any(|byte| byte.is_ascii_digit() || *byte == b'%');
    if !page.as_bytes().split(|byte| *byte == b'/').any(is_parameter) {
        return None;
    }
    let mut template = String::with_capacity(page.len());
    for (at, segment) in page.split('/').enumerate() {
        if at > 0 {
            template.push('/');
        }
        template.push_str(if is_parameter(segment.as_bytes()) { "*" } else { segment });
    }
    Some(template)
}

/// The first segment and, after a space, the number of segments.
fn section(page: &str) -> String {
    let (path, _) = page.split_once('?').unwrap_or((page, ""));
    let first = path.split('/').nth(1).unwrap_or_default();
    let depth = path.bytes().filter(|byte| *byte == b'/').count().max(1);
    let mut section = String::with_capacity(first.len() + 8);
    section.push('/');
    section.push_str(first);
    section.push(' ');
    section.push_str(&depth.to_string());
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_stars() {
        for (page, expected) in [
            ("/", "/"),
            ("/blog/about", "/blog/about"),
            ("/blog/2015/hello-world", "/blog/*/hello-world"),
            ("/a/%20b/", "/a/*/"),
            ("/p/this-is-a-rather-long-title", "/p/*"),
            ("", ""),
        ] {
            assert_eq!(template(page).as_deref().unwrap_or(page), expected);
        }
    }

    #[test]
    fn sections_tell_depth() {
        assert_eq!(section("/"), "/ 1");
        assert_eq!(section("/blog"), "/blog 1");
        assert_eq!(section("/blog/"), "/blog 2");
        assert_eq!(section("/blog/x?y=/z/"), "/blog 2");
        assert_eq!(section(""), "/ 1");
    }

    #[test]
    fn a_plain_page_has_no_template() {
        let kinds = |page| levels(page).map(|(level, _)| level).collect::<Vec<_>>();
        assert_eq!(kinds("/about"), [Level::Section, Level::Page]);
        assert_eq!(kinds("/a/1"), [Level::Section, Level::Template, Level::Page]);
    }
}
