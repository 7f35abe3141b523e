//! What one visit says of each of its assets.

use crate::assets::{Asset, AssetId, Sighting};
use crate::clock::Tick;
use crate::model::{Model, Outside};
use crate::node::Evidence;
use crate::rename::stem;
use crate::visit::{OpenVisit, Record};

/// One piece of evidence of a visit, with its asset looked up.
pub(crate) struct Finding<'v> {
    pub(crate) asset: AssetId,
    pub(crate) record: &'v Record,
    pub(crate) evidence: Evidence,
}

impl Finding<'_> {
    pub(crate) fn is_fetched(&self) -> bool {
        matches!(self.evidence, Evidence::Fetched { .. })
    }
}

impl Model {
    /// Looks up the assets of a visit, adding those that are new.
    pub(crate) fn findings<'v>(
        &mut self,
        visit: &'v OpenVisit,
        network: u64,
        outside: &Outside<'_>,
    ) -> Vec<Finding<'v>> {
        let mut findings = Vec::with_capacity(visit.records.len());
        let mut stems: Vec<u64> = Vec::new();
        for record in &visit.records {
            // A browser asks for what it was hinted whether or not the page needs it.
            let fetched = record.rank.filter(|_| !record.hinted);
            let known = self.assets.find(record.asset);
            let added = || fetched.and(record.metadata).and_then(|_| self.add_asset(visit, record, outside));
            let Some(asset) = known.or_else(added) else { continue };
            // Until it has an edge, the finding itself keeps the asset in the table.
            let stem = self.assets.retain(asset).map_or(0, |asset| asset.stem);
            let evidence = fetched.map_or(Evidence::Mute, |rank| Evidence::Fetched { rank });
            findings.push(Finding { asset, record, evidence });
            if fetched.is_some() && stem != 0 {
                if stems.contains(&stem) {
                    self.assets.crowd(stem);
                }
                stems.push(stem);
            }
        }
        let seconds = seconds(visit.opened);
        for finding in findings.iter().filter(|finding| finding.is_fetched()) {
            let sighting =
                Sighting { path: visit.path_of(finding.record), metadata: finding.record.metadata, network, seconds };
            self.assets.saw(finding.asset, &sighting, self.limits.min_networks, outside.directory);
        }
        findings
    }

    fn add_asset(&mut self, visit: &OpenVisit, record: &Record, outside: &Outside<'_>) -> Option<AssetId> {
        if self.assets.is_full() {
            // Only what is asked for again may push something out.
            if self.sketch.add(record.asset) < 2 || !self.evict_lightest(None, outside) {
                self.counts.refused += 1;
                return None;
            }
        }
        let stem = stem(visit.path_of(record)).map_or(0, |stem| outside.keys.stem(visit.site.salt, &stem));
        self.assets.add(Asset::new(record.asset, stem, visit.site.index, seconds(visit.opened)))
    }
}

/// Whole seconds of learner's time.
fn seconds(tick: Tick) -> u32 {
    u32::try_from(tick.0 / 1000).unwrap_or(u32::MAX)
}
