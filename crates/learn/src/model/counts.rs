//! What the model has done, for operators.

use super::Model;
use crate::stats::Stats;

/// Counts of events so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) learned: u64,
    pub(super) not_a_page: u64,
    pub(super) no_assets: u64,
    pub(super) voted: u64,
    pub(super) no_room: u64,
    pub(super) page_full: u64,
    pub(super) late: u64,
    pub(super) cache_unknown: u64,
    pub(super) few_networks: u64,
}

impl Model {
    pub(crate) fn add_stats(&self, stats: &mut Stats) {
        stats.pages = self.nodes.len();
        (stats.assets, stats.shown_assets) = self.assets.counts();
        stats.edges = self.nodes.iter().map(|node| node.edges.len()).sum();
        stats.bytes += self.bytes();
        stats.learned = self.counts.learned;
        stats.evicted = self.nodes.evicted();
        stats.renamed = self.assets.renamed;
        let reasons = &mut stats.reasons;
        reasons.not_a_page += self.counts.not_a_page;
        reasons.no_assets = self.counts.no_assets;
        reasons.voted = self.counts.voted;
        reasons.no_room = self.counts.no_room;
        reasons.page_full = self.counts.page_full;
        reasons.late = self.counts.late;
        reasons.cache_unknown = self.counts.cache_unknown;
        reasons.few_networks = self.counts.few_networks;
    }
}
