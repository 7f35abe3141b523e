//! Why visits and assets of a page taught nothing, in words.

use headstart::UnlearnedCounts;
use headstart::learn::PageReasons;

/// A short name, how often it was so, and what it means.
pub(crate) struct Reason {
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) text: String,
}

/// The reasons that held, the most frequent first.
pub(crate) fn reasons(of: &PageReasons) -> Vec<Reason> {
    let own = &of.reasons;
    let views = [
        ("repeated", own.voted, "views: their network had voted on the page a moment before"),
        ("silent", own.no_assets, "views: no asset was loaded on them, as by bots"),
        ("not_a_page", own.not_a_page, "views: not answered as a page of HTML for everybody"),
        ("cache_unknown", own.cache_unknown, "views: what their client holds is not known; what they loaded counts"),
        ("late", own.late, "assets: asked for after the page had fallen silent, as by a click"),
        ("no_visit", own.no_visit, "assets: asked for when no view of the page was open"),
        ("ambiguous", own.ambiguous, "assets: may be of one of several pages that were open"),
        ("page_full", own.page_full, "assets: no room on the page"),
        ("no_room", own.no_room, "pages and assets: no room in the tables"),
    ];
    let views = views.into_iter().map(|(name, count, text)| Reason { name, count, text: text.to_owned() });
    let assets = UnlearnedCounts::from(of);
    let assets =
        assets.iter().map(|(reason, count)| Reason { name: reason.name(), count, text: format!("assets: {reason}") });
    let mut all: Vec<Reason> = views.chain(assets).filter(|reason| reason.count > 0).collect();
    all.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    all
}
