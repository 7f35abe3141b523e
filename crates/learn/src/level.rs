//! The names under which a page is known: itself, its template, its section.

use crate::keys::Keys;
use crate::level_name::LevelName;
use crate::site::Site;

/// How much a node stands for. Coarser levels lend their opinion to finer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Level {
    /// The first directory of the path, and the number of segments.
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
pub(crate) fn levels(page: &str) -> impl Iterator<Item = (Level, LevelName<'_>)> {
    let section = Some((Level::Section, LevelName::section(page)));
    let template = LevelName::template(page).map(|name| (Level::Template, name));
    let page = Some((Level::Page, LevelName::Page(page)));
    [section, template, page].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_page_has_no_template() {
        let kinds = |page| levels(page).map(|(level, _)| level).collect::<Vec<_>>();
        assert_eq!(kinds("/about"), [Level::Section, Level::Page]);
        assert_eq!(kinds("/a/1"), [Level::Section, Level::Template, Level::Page]);
    }
}
