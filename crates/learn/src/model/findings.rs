//! The evidence of a visit, with its assets looked up.

use crate::assets::AssetId;
use crate::node::Evidence;

/// One piece of evidence of a visit, with its asset looked up.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) asset: AssetId,
    record: u16,
    pub(super) place: u16,
    pub(super) hash: u64,
    pub(super) stem: u64,
    pub(super) evidence: Evidence,
}

/// The findings of one visit. Each asset is pinned until the visit has been learned.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    pub(super) stems: Vec<u64>,
}

/// The memory for the findings of so many assets is kept from one visit to the next.
const USUAL_ASSETS: usize = 128;

impl Findings {
    /// None, in the memory of these.
    pub(super) fn emptied(mut self) -> Self {
        self.list.clear();
        self.stems.clear();
        self.list.shrink_to(USUAL_ASSETS);
        self.stems.shrink_to(USUAL_ASSETS);
        self
    }
}

impl Finding {
    /// `record` is its place among the records of the visit, `place` in all likelihood that of its edge on the page.
    pub(super) fn new(
        (asset, hash, stem): (AssetId, u64, u64),
        (record, place): (usize, usize),
        evidence: Evidence,
    ) -> Self {
        // A visit has at most 1,024 records, and a page as many edges.
        Self { asset, record: record as u16, place: place as u16, hash, stem, evidence }
    }

    pub(super) fn record(&self) -> usize {
        usize::from(self.record)
    }

    pub(super) fn is_fetched(&self) -> bool {
        matches!(self.evidence, Evidence::Fetched(_))
    }
}
