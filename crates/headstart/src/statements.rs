//! The page's own words on its assets, as far as hints are concerned.

use std::collections::BTreeMap;
use std::sync::Arc;

use headstart_learn::Destination;

use crate::attributes::Attributes;
use crate::page_policy::PagePolicy;
use crate::view::Reason;

/// The page's statement on one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// A hint that the page uses.
    Hint(Named),
    /// One of the candidates of a responsive image, which is hinted under this path.
    Candidate(Arc<str>),
    /// No hint would be used, or is wanted.
    Not(Reason),
}

/// A hint in the page's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) destination: Destination,
    pub(crate) attributes: Arc<Attributes>,
    /// The page is not drawn without it, or preloads it itself.
    pub(crate) essential: bool,
    /// Its urgency (RFC 9218), where the element tells whether the page waits for it.
    pub(crate) urgency: Option<u8>,
}

/// The page's statements. Replaced when a reading changes them, and shared until then.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    pub(crate) by_path: BTreeMap<Box<str>, Statement>,
    /// The paths that a stranger may be told, though no traffic has shown them, in the order of the document.
    pub(crate) nameable: Vec<Arc<str>>,
    /// Other origins to connect to, with or without credentials.
    pub(crate) preconnects: Vec<(Box<str>, bool)>,
    /// Of the `<meta>` elements.
    pub(crate) policy: PagePolicy,
    /// The whole page was read: what it does not name comes from stylesheets and scripts.
    pub(crate) whole: bool,
}

impl Statements {
    /// The page's statement on a path, and the path that a hint names.
    pub(crate) fn of<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a Statement)> {
        match self.by_path.get(path)? {
            Statement::Candidate(of) => Some((of, self.by_path.get(&**of)?)),
            statement => Some((path, statement)),
        }
    }
}
