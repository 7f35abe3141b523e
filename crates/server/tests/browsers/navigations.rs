//! Ways of coming to a page, and of staying there, that are more than one load of it.

use super::ways::{Act, CSS, Document, JS, Way, way};

const HTML: &str = "<link rel=stylesheet href=a.css><script src=a.js></script><p>text";

/// The navigations, in the order of the table.
pub(crate) const NAVIGATIONS: &[Way] = &[
    page("reload").and(Act::Reload),
    page("forced reload").and(Act::ForcedReload),
    page("back and forward").and(Act::BackAndForward),
    page("back and forward, no-store").and(Act::BackAndForward).with(&[("cache-control", "no-store")]),
    page("page with an ETag").document(Document::Tagged),
    page("page for users").document(Document::ForUsers),
    way(
        "POST of a form",
        "<form method=post></form><link rel=stylesheet href=a.css><p>text",
        &[("a.css", CSS), ("b.css", CSS)],
    )
    .and(Act::Post)
    .document(Document::Form("<link rel=stylesheet href=b.css><p>done")),
    page("forged requests").and(Act::Forged),
];

const fn page(name: &'static str) -> Way {
    way(name, HTML, &[("a.css", CSS), ("a.js", JS)])
}
