//! The records of pages.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::time::Duration;

use super::super::median::median;
use super::MAX_PAGES;
use super::figures::Figures;
use super::saved::SavedPage;
use super::timings::Timings;

/// Assets recorded of a page; the one that was seen least gives way.
const MAX_ASSETS: usize = 64;
/// The time in which a page's weight halves, as by default in the learner.
const HALF_LIFE: f64 = 24.0 * 3600.0;

/// Memory of one page's assets, bytes.
#[cfg(test)]
pub(super) const HEAP_BYTES: usize = MAX_ASSETS * size_of::<AssetCounts>();

/// Pages by key. Keys are hashes already.
#[derive(Debug, Default)]
pub(super) struct PageTable {
    pages: HashMap<u64, PageRecord, BuildHasherDefault<Keyed>>,
    /// The figures of those that gave way.
    pub(super) others: Figures,
}

/// The record of one page.
#[derive(Clone, Debug)]
pub(crate) struct PageRecord {
    /// Views, halved every day, as of `at` seconds since the start.
    weight: f64,
    at: f64,
    pub(crate) assets: Vec<AssetCounts>,
    pub(crate) figures: Figures,
    pub(crate) timings: Timings,
}

/// Counts of one asset of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AssetCounts {
    pub(crate) key: u64,
    pub(crate) pushed: u32,
    pub(crate) hinted: u32,
    pub(crate) linked: u32,
    pub(crate) held: u32,
    /// Pushes that were cancelled or cut off.
    pub(crate) wasted: u32,
    pub(crate) pushed_bytes: u64,
    pub(crate) wasted_bytes: u64,
}

/// The sums of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PageSummary {
    pub(crate) views: u64,
    pub(crate) counts: AssetCounts,
    /// Median milliseconds to the last asset, with help and without.
    pub(crate) with: Option<f64>,
    pub(crate) without: Option<f64>,
}

impl PageTable {
    pub(super) fn get(&self, key: u64) -> Option<&PageRecord> {
        self.pages.get(&key)
    }

    /// The figures of the pages whose keys these are not.
    pub(super) fn others_than(&self, keys: &HashSet<u64>) -> impl Iterator<Item = &Figures> {
        self.pages.iter().filter(|(key, _)| !keys.contains(key)).map(|(_, page)| &page.figures)
    }

    /// The record of a page, if there is one, and what is kept of those that there is none of.
    pub(super) fn page_or_others(&mut self, key: u64) -> (Option<&mut PageRecord>, &mut Figures) {
        (self.pages.get_mut(&key), &mut self.others)
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut PageRecord> {
        self.pages.get_mut(&key)
    }

    /// The record of a page that is shown at `now`, made if need be. O(1), or O(pages) when another has to go for it: its
    /// figures are kept with those of others that went.
    pub(super) fn visit(&mut self, key: u64, now: Duration) -> &mut PageRecord {
        let now = now.as_secs_f64();
        if self.pages.len() >= MAX_PAGES && !self.pages.contains_key(&key) {
            let weights = self.pages.iter().map(|(key, page)| (page.weight_at(now), *key));
            let lightest = weights.min_by(|(a, _), (b, _)| a.total_cmp(b));
            if let Some(page) = lightest.and_then(|(_, lightest)| self.pages.remove(&lightest)) {
                self.others.merge(&page.figures);
            }
        }
        let page = self.pages.entry(key).or_insert_with(|| PageRecord::new(now));
        // Less than a thousandth of the weight fades in a minute.
        if now > page.at + 60.0 {
            page.weight = page.weight_at(now);
            page.at = now;
        }
        page.weight += 1.0;
        page
    }

    /// The pages that are kept, in the order of their keys.
    pub(super) fn save(&self, now: Duration) -> Vec<SavedPage> {
        let saved = |(key, page): (&u64, &PageRecord)| SavedPage {
            key: *key,
            weight: page.weight_at(now.as_secs_f64()),
            figures: page.figures.clone(),
        };
        let mut pages: Vec<_> = self.pages.iter().map(saved).collect();
        pages.sort_by_key(|page| page.key);
        pages
    }

    /// Pages as they were saved, with their weights as of `now`.
    pub(super) fn restore(saved: Vec<SavedPage>, others: Figures, now: Duration) -> Self {
        let page = |SavedPage { key, weight, figures }: SavedPage| {
            (key, PageRecord { weight, figures, ..PageRecord::new(now.as_secs_f64()) })
        };
        Self { pages: saved.into_iter().map(page).collect(), others }
    }

    #[cfg(test)]
    pub(super) fn figures_bytes(&self) -> usize {
        self.pages.values().map(|page| page.figures.bytes()).sum::<usize>() + self.others.bytes()
    }
}

impl PageRecord {
    fn new(now: f64) -> Self {
        Self { weight: 0.0, at: now, assets: Vec::new(), figures: Figures::default(), timings: Timings::default() }
    }

    pub(super) fn summary(&self) -> PageSummary {
        let arms = self.figures.arms();
        PageSummary {
            views: self.views(),
            counts: self.sum(),
            with: median(&arms.helped),
            without: median(&arms.held_out),
        }
    }

    /// Views that were shown, held out and not.
    pub(crate) fn views(&self) -> u64 {
        self.figures.account(false).shown + self.held_out()
    }

    /// Of these, views that were held out.
    pub(crate) fn held_out(&self) -> u64 {
        self.figures.account(true).shown
    }

    /// Sums over the assets; its key means nothing.
    fn sum(&self) -> AssetCounts {
        self.assets.iter().fold(AssetCounts::default(), |sum, asset| AssetCounts {
            key: 0,
            pushed: sum.pushed.saturating_add(asset.pushed),
            hinted: sum.hinted.saturating_add(asset.hinted),
            linked: sum.linked.saturating_add(asset.linked),
            held: sum.held.saturating_add(asset.held),
            wasted: sum.wasted.saturating_add(asset.wasted),
            pushed_bytes: sum.pushed_bytes.saturating_add(asset.pushed_bytes),
            wasted_bytes: sum.wasted_bytes.saturating_add(asset.wasted_bytes),
        })
    }

    /// The counts of an asset, added if need be. The plan of a page names its assets in the same order from view to view, so
    /// the place of an asset in the plan is looked at first.
    pub(super) fn asset(&mut self, place: usize, key: u64) -> &mut AssetCounts {
        let at = Some(place).filter(|place| self.assets.get(*place).is_some_and(|asset| asset.key == key));
        let at = at.or_else(|| self.assets.iter().position(|asset| asset.key == key)).unwrap_or_else(|| {
            if self.assets.len() >= MAX_ASSETS {
                let seen = |asset: &AssetCounts| {
                    u64::from(asset.pushed) + u64::from(asset.hinted) + u64::from(asset.linked) + u64::from(asset.held)
                };
                let least = self.assets.iter().enumerate().min_by_key(|(_, asset)| seen(asset)).map(|(at, _)| at);
                self.assets.swap_remove(least.unwrap_or_default());
            }
            if self.assets.len() == self.assets.capacity() {
                self.assets.reserve_exact(8);
            }
            self.assets.push(AssetCounts { key, ..AssetCounts::default() });
            self.assets.len() - 1
        });
        // The position of an element, or of the one just added.
        &mut self.assets[at]
    }

    fn weight_at(&self, now: f64) -> f64 {
        self.weight * (-(now - self.at).max(0.0) / HALF_LIFE).exp2()
    }
}

/// Takes a key that is a hash as it is.
#[derive(Debug, Default)]
pub(super) struct Keyed(u64);

impl std::hash::Hasher for Keyed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_pages_does_not_wash_out_those_in_use() {
        let mut pages = PageTable::default();
        for round in 0..10 {
            for key in 0..10 {
                pages.visit(key, Duration::from_secs(round));
            }
        }
        for key in 100..10_000 {
            pages.visit(key, Duration::from_secs(60));
        }
        assert_eq!(pages.pages.len(), MAX_PAGES);
        assert!((0..10).all(|key| pages.get(key).is_some()));
    }

    #[test]
    fn a_page_of_long_ago_gives_way() {
        let mut pages = PageTable::default();
        for _ in 0..100 {
            pages.visit(1, Duration::ZERO);
        }
        let later = Duration::from_secs(30 * 24 * 3600);
        for key in 100..100 + MAX_PAGES as u64 {
            pages.visit(key, later);
        }
        assert!(pages.get(1).is_none());
    }

    #[test]
    fn assets_are_bounded_by_use() {
        let mut page = PageRecord::new(0.0);
        page.asset(0, 1).hinted = 5;
        for key in 2..200 {
            page.asset(key as usize, key).hinted += 1;
        }
        assert_eq!((page.assets.len(), page.assets.capacity()), (MAX_ASSETS, MAX_ASSETS));
        assert!((0..100).all(|place| page.asset(place, 1).hinted == 5), "wherever it is looked for first");
    }
}
