//! The assets that a hint makes a client ask for, and how urgent they are.
//!
//! A browser asks for what a 103 names before it has seen the page. All that it knows of an asset is its destination:
//! Chromium gives fonts and all scripts one urgency, so that scripts that the page waits for share the link with those
//! that it does not wait for. The engine knows more, as it does of pushes.

use std::sync::Arc;

use headstart_learn::{Destination, Site};
use headstart_policy::Priority;

use crate::item::Item;
use crate::view::Decision;

/// The assets that the present view of a connection was told of by 103 or `Link`. As many as a view has items at most.
#[derive(Default)]
pub(crate) struct Hinted {
    /// The page of the view, with its query.
    page: Arc<str>,
    assets: Vec<HintedAsset>,
}

/// An asset that a client was told of.
struct HintedAsset {
    site: Site,
    path: Arc<str>,
    /// The priority of its response; `None` if `Link` named it, which the client reads with the page.
    priority: Option<Priority>,
    /// It may be asked for again though the hint served: a page that polls asks for data and images again and again, where they
    /// may not be used without asking, which is what `Link` names.
    polled: bool,
    /// The client has asked for it.
    asked: bool,
}

/// The relation of a request to the hints of its connection's present view.
pub(crate) enum CausedBy {
    /// No hint named the asset.
    Itself,
    /// It is the first request for an asset that a hint named.
    Hint {
        /// The priority of its response; `None` if `Link` named it, which the client reads with the page.
        priority: Option<Priority>,
    },
    /// The client has asked before for this asset of the hints, on this page: the hint did not serve.
    Again { page: Arc<str>, asset: Arc<str> },
}

impl Hinted {
    /// The assets of a view whose page was asked for with this priority, which none of them exceeds.
    pub(crate) fn of<'a>(
        site: Site,
        page: &Arc<str>,
        items: impl Iterator<Item = &'a Item>,
        requested: Priority,
    ) -> Self {
        let hinted = items.filter_map(|item| {
            let own = item.need.priority();
            let priority = match item.decision {
                Decision::Hinted => Some(Priority { urgency: own.urgency.max(requested.urgency), ..own }),
                Decision::Linked => None,
                _ => return None,
            };
            let once = matches!(item.destination, Destination::Script | Destination::Style | Destination::Font);
            let polled = priority.is_none() && !once;
            Some(HintedAsset { site, path: Arc::clone(&item.path), priority, polled, asked: false })
        });
        Hinted { page: Arc::clone(page), assets: hinted.collect() }
    }

    /// The client asks for an asset. The first time the hint may have caused that; later requests are not caused by it.
    pub(crate) fn ask(&mut self, site: Site, path: &str) -> CausedBy {
        let Some(hinted) = self.find(site, path) else { return CausedBy::Itself };
        if !std::mem::replace(&mut hinted.asked, true) {
            return CausedBy::Hint { priority: hinted.priority };
        }
        if hinted.polled {
            return CausedBy::Itself;
        }
        let asset = Arc::clone(&hinted.path);
        CausedBy::Again { page: Arc::clone(&self.page), asset }
    }

    /// The client did not get an asset that it asked for, and may ask again.
    pub(crate) fn failed(&mut self, site: Site, path: &str) {
        if let Some(hinted) = self.find(site, path) {
            hinted.asked = false;
        }
    }

    fn find(&mut self, site: Site, path: &str) -> Option<&mut HintedAsset> {
        self.assets.iter_mut().find(|hinted| hinted.site == site && *hinted.path == *path)
    }
}

#[cfg(test)]
mod tests {
    use headstart_learn::Freshness;

    use super::*;
    use crate::attributes::Attributes;

    fn item(path: &str, destination: Destination, decision: Decision) -> Item {
        let item = Item::named(path.into(), destination, Attributes::of_mode(destination, false), Freshness::Fresh);
        Item { decision, ..item }
    }

    #[test]
    fn what_is_asked_for_twice_was_not_served_by_its_hint_unless_pages_poll_it() {
        let learner = headstart_learn::Learner::new(headstart_learn::Config::default());
        let site = learner.site("a.example").unwrap();
        let items = [
            item("/early.png", Destination::Image, Decision::Hinted),
            item("/linked.js", Destination::Script, Decision::Linked),
            item("/linked.png", Destination::Image, Decision::Linked),
            item("/data", Destination::Fetch, Decision::Linked),
            item("/pushed.css", Destination::Style, Decision::Pushed),
        ];
        let mut hinted = Hinted::of(site, &"/".into(), items.iter(), Priority::default());
        let mut again = |path: &str| {
            let first = matches!(hinted.ask(site, path), CausedBy::Hint { .. });
            (first, matches!(hinted.ask(site, path), CausedBy::Again { .. }))
        };
        assert_eq!(again("/early.png"), (true, true));
        assert_eq!(again("/linked.js"), (true, true));
        assert_eq!(again("/linked.png"), (true, false));
        assert_eq!(again("/data"), (true, false));
        assert_eq!(again("/pushed.css"), (false, false));
    }
}
