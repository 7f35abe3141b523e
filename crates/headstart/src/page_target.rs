//! The page that a navigation asks for.

use std::sync::Arc;

use headstart_learn::Page;
use http::request::Parts;

use crate::personal::is_personal;
use crate::request;

/// The page that a navigation asks for: its path, and its query as the client sent it.
#[derive(Clone, Debug)]
pub(crate) struct PageTarget {
    /// The path without query.
    pub(crate) path: Arc<str>,
    /// The path with query.
    pub(crate) target: Arc<str>,
    /// Whether the name looks as if it was made for one person.
    personal: bool,
}

impl PageTarget {
    pub(crate) fn of(head: &Parts) -> Self {
        let target = request::path_and_query(head);
        PageTarget { path: head.uri.path().into(), target: target.into(), personal: is_personal(target, false) }
    }

    /// The page as the learner knows it.
    pub(crate) fn page(&self) -> Page<'_> {
        Page { personal: self.personal, ..Page::from(&*self.target) }
    }

    /// Whether a path with query is the page itself.
    pub(crate) fn is(&self, path: &str) -> bool {
        *self.path == *path || *self.target == *path
    }
}
