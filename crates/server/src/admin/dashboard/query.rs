//! The reader's choices in the query of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::super::ledger::Span;

/// Rows of the table of pages that are shown at once.
pub(super) const ROWS: usize = 50;

/// Parameters of the query. What is not understood is as if it were not there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// Order of the table.
    pub(super) sort: String,
    /// Part of the authority or path of the pages to show.
    pub(super) q: String,
    /// Rows to pass over.
    pub(super) from: String,
    /// How far back plots go: `hour` or `day`.
    pub(super) span: String,
    /// The page of the detail view.
    pub(in crate::admin) host: String,
    pub(in crate::admin) page: String,
    /// For `/events`: which page is open, `overview` or `detail`.
    pub(in crate::admin) view: String,
}

/// The order of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    Gain,
    Held,
    Hinted,
    Page,
    Pushed,
    Views,
    Wasted,
    #[default]
    Weight,
}

impl Sort {
    pub(super) const ALL: [(Sort, &'static str); 8] = [
        (Sort::Page, "page"),
        (Sort::Weight, "weight"),
        (Sort::Views, "views"),
        (Sort::Pushed, "pushed"),
        (Sort::Hinted, "hinted"),
        (Sort::Held, "held"),
        (Sort::Wasted, "wasted"),
        (Sort::Gain, "gain"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("weight", |(_, name)| name)
    }
}

impl Query {
    pub(super) fn sort(&self) -> Sort {
        Sort::ALL.iter().find(|(_, name)| *name == self.sort).map(|(sort, _)| *sort).unwrap_or_default()
    }

    pub(super) fn span(&self) -> Span {
        if self.span == "day" { Span::Day } else { Span::Hour }
    }

    pub(super) fn from(&self) -> usize {
        self.from.parse().unwrap_or(0)
    }

    /// The address of the overview with these parameters, one of them changed.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let mut text = String::new();
        for (own, kept) in [("sort", &self.sort), ("q", &self.q), ("from", &self.from), ("span", &self.span)] {
            // Another order or another choice begins at the top.
            let value = if own == name {
                value
            } else if own == "from" {
                ""
            } else {
                kept
            };
            add(&mut text, own, value);
        }
        if text.is_empty() { "/".to_owned() } else { format!("/?{text}") }
    }

    /// The parameters for the stream of events of a view.
    pub(super) fn events(&self, view: &str) -> String {
        let mut text = String::new();
        let all = [
            ("view", view),
            ("sort", &self.sort),
            ("q", &self.q),
            ("from", &self.from),
            ("span", &self.span),
            ("host", &self.host),
            ("page", &self.page),
        ];
        for (name, value) in all {
            add(&mut text, name, value);
        }
        format!("/events?{text}")
    }
}

/// The address of a page's detail view.
pub(super) fn detail(authority: &str, path: &str) -> String {
    let mut text = String::new();
    add(&mut text, "host", authority);
    add(&mut text, "page", path);
    format!("/page?{text}")
}

fn add(text: &mut String, name: &str, value: &str) {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    if !value.is_empty() {
        let separator = if text.is_empty() { "" } else { "&" };
        text.extend([separator, name, "="]);
        text.extend(utf8_percent_encode(value, KEPT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_any_value() {
        let query = Query { q: "a&b=\"<c>".into(), sort: "held".into(), from: "50".into(), ..Query::default() };
        assert_eq!(query.with("sort", "gain"), "/?sort=gain&q=a%26b%3D%22%3Cc%3E");
        assert_eq!(Query::default().with("sort", ""), "/");
        assert_eq!(detail("a.example:8443", "/x y?"), "/page?host=a.example%3A8443&page=/x%20y%3F");
        assert_eq!((query.sort(), query.from()), (Sort::Held, 50));
        assert_eq!(Query { sort: "nonsense".into(), ..Query::default() }.sort(), Sort::Weight);
    }
}
