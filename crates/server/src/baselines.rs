//! Two simpler rules to compare the learner with.

use std::collections::HashMap;

use crate::names::NameId;

/// The rule of the Go program `pusher` (2017): every fetch adds one to the weight of an
/// asset of a page, weights halve every five minutes, and what weighs more than ten
/// and more than 0.95 of the heaviest is pushed.
///
/// Implemented from its description, without its faults: weights decay on writing too.
#[derive(Debug, Default)]
pub(crate) struct Pusher {
    pages: HashMap<NameId, HashMap<NameId, (u64, f64)>>,
}

const HALF_LIFE_MILLIS: f64 = 300_000.0;

impl Pusher {
    pub(crate) fn record(&mut self, time: u64, page: NameId, asset: NameId) {
        let weight = self.pages.entry(page).or_default().entry(asset).or_insert((time, 0.0));
        *weight = (time, decayed(*weight, time) + 1.0);
    }

    pub(crate) fn predict(&self, time: u64, page: NameId) -> Vec<NameId> {
        let weights = self.pages.get(&page).into_iter().flatten();
        let weights: Vec<_> = weights.map(|(asset, weight)| (*asset, decayed(*weight, time))).collect();
        let heaviest = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        let chosen = weights.into_iter().filter(|(_, weight)| *weight > 10.0 && *weight > 0.95 * heaviest);
        chosen.map(|(asset, _)| asset).collect()
    }
}

fn decayed((then, weight): (u64, f64), now: u64) -> f64 {
    weight * (-(now.saturating_sub(then) as f64) / HALF_LIFE_MILLIS).exp2()
}

/// The ten assets most often fetched with the page.
#[derive(Debug, Default)]
pub(crate) struct Popular {
    pages: HashMap<NameId, HashMap<NameId, u64>>,
}

impl Popular {
    pub(crate) fn record(&mut self, page: NameId, asset: NameId) {
        *self.pages.entry(page).or_default().entry(asset).or_default() += 1;
    }

    pub(crate) fn predict(&self, page: NameId) -> Vec<NameId> {
        let mut assets: Vec<_> = self.pages.get(&page).into_iter().flatten().collect();
        assets.sort_by_key(|(asset, count)| (std::cmp::Reverse(**count), **asset));
        assets.into_iter().take(10).map(|(asset, _)| *asset).collect()
    }
}
