//! What a 103 makes a client ask for, and how urgent that is.
//!
//! A browser asks for what a 103 names before it has seen the page. It knows nothing but what each thing is: Chromium
//! gives fonts and all scripts one urgency, so that those that the page waits for share the link with those that it does
//! not. The engine knows more, as it does when it pushes.

use std::sync::Arc;

use headstart_learn::Site;
use headstart_policy::Priority;

use crate::item::Item;
use crate::need;
use crate::view::Decision;

/// The assets that the 103 of a connection's present view named, less those that the client has asked for since. As many
/// as a view has items at most.
#[derive(Default)]
pub(crate) struct Hinted(Vec<(Site, Arc<str>, Priority)>);

impl Hinted {
    /// Those of a view whose page was asked for with this priority: nothing comes before the page.
    pub(crate) fn of<'a>(site: Site, items: impl Iterator<Item = &'a Item>, page: Priority) -> Self {
        let hinted = items.filter(|item| item.decision == Decision::Hinted);
        let ranked = hinted.map(|item| {
            let own = need::priority(item.destination, item.cors);
            (site, Arc::clone(&item.path), Priority { urgency: own.urgency.max(page.urgency), ..own })
        });
        Hinted(ranked.collect())
    }

    /// The priority of an asset that was hinted, the first time that it is asked for: what the client says when it asks
    /// again is no consequence of a hint.
    pub(crate) fn take(&mut self, site: Site, path: &str) -> Option<Priority> {
        let at = self.0.iter().position(|(of, hinted, _)| *of == site && **hinted == *path)?;
        Some(self.0.swap_remove(at).2)
    }
}
