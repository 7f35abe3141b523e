//! The assets that a hint makes a client ask for, and how urgent they are.
//!
//! A browser asks for what a 103 names before it has seen the page. All that it knows of an asset is its destination:
//! Chromium gives fonts and all scripts one urgency, so that scripts that the page waits for share the link with those
//! that it does not wait for. The engine knows more, as it does of pushes.

use std::sync::Arc;

use headstart_learn::Site;
use headstart_policy::Priority;

use crate::item::Item;
use crate::need;
use crate::view::Decision;

/// The assets that the present view of a connection was told of by 103 or `Link`, without those that the client has asked
/// for since. As many as a view has items at most.
#[derive(Default)]
pub(crate) struct Hinted(Vec<HintedAsset>);

/// An asset that a client was told of.
pub(crate) struct HintedAsset {
    site: Site,
    path: Arc<str>,
    /// The priority of its response; `None` if `Link` named it, which the client reads with the page.
    pub(crate) priority: Option<Priority>,
}

impl Hinted {
    /// The assets of a view whose page was asked for with this priority, which none of them exceeds.
    pub(crate) fn of<'a>(site: Site, items: impl Iterator<Item = &'a Item>, page: Priority) -> Self {
        let hinted = items.filter_map(|item| {
            let own = need::priority(item.urgency);
            let priority = match item.decision {
                Decision::Hinted => Some(Priority { urgency: own.urgency.max(page.urgency), ..own }),
                Decision::Linked => None,
                _ => return None,
            };
            Some(HintedAsset { site, path: Arc::clone(&item.path), priority })
        });
        Hinted(hinted.collect())
    }

    /// The hint for an asset, the first time that the client asks for it. Later requests are not caused by the hint.
    pub(crate) fn take(&mut self, site: Site, path: &str) -> Option<HintedAsset> {
        let at = self.0.iter().position(|hinted| hinted.site == site && *hinted.path == *path)?;
        Some(self.0.swap_remove(at))
    }
}
