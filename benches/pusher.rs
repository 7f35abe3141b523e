//! The rule that the learner replaces, in our own code.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::asset_name;

/// The rule of `pusher`: what weighs more than ten and more than 0.95 of the heaviest, and
/// what those pull in. Unlike the original it ends on cycles and decays on writing.
pub(crate) struct Seed {
    pages: RwLock<HashMap<Arc<str>, Weights>>,
}

/// Weight, and the second it was last written, of each asset of a page.
type Weights = HashMap<Arc<str>, (f64, f64)>;

const SEED_HALF_LIFE_SECONDS: f64 = 300.0;

/// A page with `n` assets of equal weight.
pub(crate) fn seed_taught(n: usize) -> Seed {
    let seed = Seed { pages: RwLock::default() };
    for at in 0..n {
        for _ in 0..20 {
            seed.record("/page", &asset_name(at), 0.0);
        }
    }
    seed
}

impl Seed {
    /// An asset was asked for with this page as Referer; `now` in seconds.
    pub(crate) fn record(&self, page: &str, asset: &str, now: f64) {
        let mut pages = self.pages.write().expect("no panic while it was held");
        if !pages.contains_key(page) {
            pages.insert(page.into(), HashMap::new());
        }
        let assets = pages.get_mut(page).expect("it is there now");
        if !assets.contains_key(asset) {
            assets.insert(asset.into(), (0.0, now));
        }
        let (weight, then) = assets.get_mut(asset).expect("it is there now");
        *weight = *weight * (-(now - *then) / SEED_HALF_LIFE_SECONDS).exp2() + 1.0;
        *then = now;
    }

    /// The pushes for a page.
    pub(crate) fn plan(&self, page: &str, now: f64) -> Vec<Arc<str>> {
        let pages = self.pages.read().expect("no panic while it was held");
        let mut planned: Vec<Arc<str>> = Vec::new();
        let mut visited = vec![page];
        let mut at = 0;
        while let Some(page) = visited.get(at) {
            at += 1;
            let Some(assets) = pages.get(*page) else { continue };
            let decayed = |(weight, then): (f64, f64)| weight * (-(now - then) / SEED_HALF_LIFE_SECONDS).exp2();
            let heaviest = assets.values().map(|weight| decayed(*weight)).fold(0.0, f64::max);
            planned.reserve(assets.len());
            for (asset, weight) in assets {
                let weight = decayed(*weight);
                let is_new = at == 1 || !planned.contains(asset);
                if weight > 10.0 && weight > 0.95 * heaviest && is_new {
                    planned.push(Arc::clone(asset));
                    if pages.contains_key(asset) && !visited.contains(&&**asset) {
                        visited.push(asset);
                    }
                }
            }
        }
        planned
    }
}
