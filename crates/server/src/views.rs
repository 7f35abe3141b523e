//! Page views that access logs tell of.

use crate::assembly::View;
use crate::names::{NameId, Names};
use crate::tally::Tally;

/// A client was told that something is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    /// Milliseconds since 1970.
    pub(crate) time: u64,
    pub(crate) network: u64,
    pub(crate) name: NameId,
    pub(crate) host: Option<NameId>,
}

/// Views in order of time, with their names.
#[derive(Debug)]
pub(crate) struct Views {
    pub(crate) list: Vec<View>,
    /// Requests for what was not there, in order of time.
    pub(crate) gone: Vec<Gone>,
    pub(crate) names: Names,
    pub(crate) hosts: Vec<String>,
    pub(crate) tally: Tally,
}

impl Views {
    /// Moves all times so that the last is `end`, in milliseconds since 1970.
    pub(crate) fn shift_to(&mut self, end: u64) {
        let times = self.list.iter().flat_map(|view| view.assets.iter().map(|asset| asset.time).chain([view.time]));
        let last = times.chain(self.gone.iter().map(|gone| gone.time)).max().unwrap_or(end);
        let shifted = |time: u64| end.saturating_sub(last - time);
        for view in &mut self.list {
            view.time = shifted(view.time);
            for asset in &mut view.assets {
                asset.time = shifted(asset.time);
            }
        }
        for gone in &mut self.gone {
            gone.time = shifted(gone.time);
        }
    }
}
