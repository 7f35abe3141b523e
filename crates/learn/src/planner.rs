//! From the model to a plan, and to its explanation.

use crate::clock::Tick;
use crate::config::Config;
use crate::directory::Shown;
use crate::estimate::{Estimate, estimates, scale};
use crate::explain::{AssetWeight, Explanation, Knowledge, LevelWeight, Verdict};
use crate::level::{Level, levels};
use crate::model::{Model, Outside};
use crate::node::Node;
use crate::plan::Published;
use crate::site::Site;
use crate::sync::Arc;
use crate::time::Time;

/// When, by the caller's clock and by the learner's.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) time: Time,
    pub(crate) tick: Tick,
}

/// The nodes of a page that exist, from coarse to fine, and whether it has a plan at all.
struct Chain {
    ids: Vec<u32>,
    /// Key of the finest of them.
    key: u64,
}

impl Model {
    /// The plan of a page, built if it is not kept, and kept. `None` if nothing is known of it.
    pub(crate) fn publish(
        &mut self,
        now: Now,
        site: Site,
        page: &str,
        config: &Config,
        outside: &Outside<'_>,
    ) -> Option<Arc<Published>> {
        let chain = self.chain(site, page, outside)?;
        let itself = outside.keys.path(site, page);
        let kept = outside.plans.get(chain.key).filter(|plan| !plan.is_stale(now.time));
        let plan = kept.unwrap_or_else(|| self.build(now, &chain, config, outside));
        // The plan of a coarser level may name another page that is an asset of some: this one, even.
        Some(plan.without(itself).map_or(plan, Arc::new))
    }

    /// Builds the plan of the finest node of a chain, and keeps it.
    fn build(&mut self, now: Now, chain: &Chain, config: &Config, outside: &Outside<'_>) -> Arc<Published> {
        let version = outside.directory.version();
        let nodes = self.nodes_of(chain);
        let mut planned: Vec<_> = self
            .weigh(&nodes, now.tick, config)
            .into_iter()
            .filter(|(_, shown, verdict)| *verdict == Verdict::Planned && shown.hash != chain.key)
            .collect();
        planned.sort_by(|(a, a_shown, _), (b, b_shown, _)| need(a, a_shown).cmp(&need(b, b_shown)));
        let chosen = planned.into_iter().map(|(e, shown, _)| (shown, e.probability, e.lower_bound));
        let plan = Arc::new(Published::new(chosen, now.time, version));
        for id in &chain.ids {
            if let Some(node) = self.nodes.get_mut(*id).filter(|node| node.key == chain.key) {
                node.unpublished = 0;
            }
        }
        outside.plans.insert(chain.key, &plan);
        plan
    }

    /// Why the plan of a page is what it is.
    pub(crate) fn explain(
        &mut self,
        now: Now,
        site: Site,
        page: &str,
        config: &Config,
        outside: &Outside<'_>,
    ) -> Explanation {
        let Some(chain) = self.chain(site, page, outside) else { return Explanation::default() };
        let nodes = self.nodes_of(&chain);
        let named = nodes.last().is_some_and(|node| node.level == Level::Page && self.is_named(node));
        let levels = nodes.iter().map(|node| LevelWeight {
            level: node.level,
            weight: node.weight * scale(node, self.decay, now.tick),
            visits: node.visits,
        });
        let known = estimates(&nodes, &self.assets, config, self.decay, now.tick).len();
        let shown = self.weigh(&nodes, now.tick, config);
        let hidden = known - shown.len();
        let assets = shown.into_iter().filter_map(|(estimate, shown, verdict)| {
            let metadata = shown.metadata()?;
            Some(AssetWeight {
                path: Arc::clone(&shown.path),
                destination: metadata.destination,
                bytes: metadata.bytes,
                hits: estimate.hits,
                mute: estimate.mute,
                effective: estimate.effective,
                probability: estimate.probability,
                lower_bound: estimate.lower_bound,
                networks: estimate.networks.estimate(),
                rank: estimate.rank,
                verdict,
            })
        });
        Explanation { state: Knowledge::Known, named, levels: levels.collect(), assets: assets.collect(), hidden }
    }

    /// Every asset that may be shown, the likeliest first, with what is decided of it.
    fn weigh(&self, nodes: &[&Node], tick: Tick, config: &Config) -> Vec<(Estimate, Arc<Shown>, Verdict)> {
        let gone = nodes.last().is_some_and(|node| node.gone);
        let visits = nodes.iter().map(|node| node.visits).max().unwrap_or(0);
        let few_visits = gone || visits < config.min_visits();
        let known = estimates(nodes, &self.assets, config, self.decay, tick);
        let mut shown: Vec<_> = known
            .into_iter()
            .filter_map(|e| Some((e, Arc::clone(self.assets.get(e.asset)?.shown.as_ref()?))))
            .collect();
        shown.sort_by(|(a, a_shown), (b, b_shown)| {
            let by_bound = b.lower_bound.total_cmp(&a.lower_bound);
            by_bound.then_with(|| a_shown.path.cmp(&b_shown.path))
        });
        let mut room = config.publish();
        let decided = shown.into_iter().map(|(estimate, shown)| {
            let verdict = if few_visits {
                Verdict::FewVisits
            } else if estimate.networks.at_least() < config.min_networks() {
                Verdict::FewNetworks
            } else if estimate.lower_bound < config.hint_threshold() {
                Verdict::BelowThreshold
            } else if room == 0 {
                Verdict::BeyondLimit
            } else {
                room -= 1;
                Verdict::Planned
            };
            (estimate, shown, verdict)
        });
        decided.collect()
    }

    fn chain(&mut self, site: Site, page: &str, outside: &Outside<'_>) -> Option<Chain> {
        let mut chain = Chain { ids: Vec::with_capacity(3), key: 0 };
        for (level, name) in levels(page) {
            let key = level.key(outside.keys, site, &name);
            if let Some(id) = self.node(key, outside) {
                chain.ids.push(id);
                chain.key = key;
            }
        }
        (!chain.ids.is_empty()).then_some(chain)
    }

    fn nodes_of(&self, chain: &Chain) -> Vec<&Node> {
        chain.ids.iter().filter_map(|id| self.nodes.get(*id)).collect()
    }
}

/// The order of need: what holds up rendering (styles, scripts, fonts) before the rest,
/// for a browser that waits for a stylesheet asks for the images meanwhile, and for the
/// font only then; in each part what clients ask for first; where they do not agree on
/// that to half a place, by destination; then what is likelier.
fn need<'a>(estimate: &Estimate, shown: &'a Shown) -> (bool, u32, u8, std::cmp::Reverse<u32>, &'a str) {
    let destination = shown.metadata().unwrap_or_default().destination;
    let likeliness = std::cmp::Reverse((estimate.lower_bound * 1000.0) as u32);
    let rank = (estimate.rank * 2.0).round() as u32;
    (!destination.blocks_rendering(), rank, destination.urgency(), likeliness, &shown.path)
}
