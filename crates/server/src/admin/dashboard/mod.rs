//! The dashboard: pages made here, small plots in them, kept up to date by server-sent events. Without JavaScript it is
//! the same, reloaded every 15 s.

mod chart;
mod detail;
mod fleet;
mod format;
mod gain;
mod layout;
mod overview;
mod pages;
mod query;
mod unlearned;
mod upstreams;

use maud::html;

use self::layout::Section;
pub(super) use self::query::Query;
pub(super) use self::upstreams::head_times;
use super::sources::Sources;

/// The stylesheet, the script and the icon: all that a page loads.
pub(super) const CSS: &str = include_str!("style.css");
pub(super) const JS: &str = include_str!("live.js");
pub(super) const ICON: &str = include_str!("icon.svg");

/// The first page.
pub(super) fn overview(sources: &Sources, query: &Query) -> String {
    let sections = overview::sections(sources, query);
    layout::page("Overview", &html! { span aria-current="page" { "Overview" } }, &sections, &query.events("overview"))
        .into_string()
}

/// The page of a page; `None` if it may not be named.
pub(super) fn detail(sources: &Sources, query: &Query) -> Option<String> {
    let sections = detail::sections(sources, query)?;
    let crumbs = html! { a href="/" { "Overview" } " / " span aria-current="page" { span class="host" { (query.host) } (query.page) } };
    let title = format!("{}{}", query.host, query.page);
    Some(layout::page(&title, &crumbs, &sections, &query.events("detail")).into_string())
}

/// The text for a page that may not be named, or is not there: the same for both.
pub(super) fn absent() -> String {
    let body = html! { p { "This page is not known, or has not been loaded from enough networks to be shown. " a href="/" { "To the overview" } } };
    let section = Section::new("absent", "It may not be named", body);
    layout::page("Nothing to show", &html! { a href="/" { "Overview" } }, &[section], "/events").into_string()
}

/// Name and content of the parts of a view that change.
pub(super) fn live(sources: &Sources, query: &Query) -> Vec<(&'static str, String)> {
    let sections = match query.view.as_str() {
        "overview" => overview::sections(sources, query),
        "detail" => detail::sections(sources, query).unwrap_or_default(),
        _ => Vec::new(),
    };
    sections.into_iter().map(|section| (section.id, section.body.into_string())).collect()
}
