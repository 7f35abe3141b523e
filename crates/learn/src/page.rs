//! A page as requests name it.

/// A page: its path, and its query as the client sent it.
///
/// Fields of a query that name a campaign (`utm_source` and its kind) do not tell pages apart;
/// the learner leaves them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Page<'a> {
    /// The normalised path.
    pub path: &'a str,
    /// The part after the `?`, if there is one.
    pub query: Option<&'a str>,
    /// Whether the name looks as if it was made for one person (it holds an e-mail address or a
    /// token, say): it then needs eight networks to be shown, unless one is enough for all.
    pub personal: bool,
}

impl<'a> Page<'a> {
    /// The page of this path and query.
    pub const fn new(path: &'a str, query: Option<&'a str>) -> Self {
        Self { path, query, personal: false }
    }
}

impl<'a> From<&'a str> for Page<'a> {
    /// Splits path and query at the first `?`.
    fn from(target: &'a str) -> Self {
        match target.split_once('?') {
            Some((path, query)) => Self::new(path, Some(query)),
            None => Self::new(target, None),
        }
    }
}
