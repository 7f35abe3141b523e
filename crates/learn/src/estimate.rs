//! From evidence to probability: what counts, shrinkage towards the coarser level, then a lower
//! confidence bound.
//!
//! For each level k of a page, from coarse to fine, with N the visits that count since the asset was first
//! fetched there, h those that fetched it and m those on which its absence says nothing:
//!
//! ```text
//! n = max(N - m, h)                    without the visit that revealed an asset of a page known before
//! p = (h + kappa q) / (n + kappa)      q: p of the coarser level, 0 at the top
//! ```
//!
//! Of a coarser level the unit is not a visit but a page: N are the pages that were visited there last, each by its last
//! visit, and h those of them that needed the asset. What only one of them needed says nothing of another page.
//!
//! At the page itself, `lower = p - z sqrt(p (1 - p) / (n + kappa + 1))`. A page
//! never seen has n = 0, so it holds the opinion of its template or section.
//!
//! Sums decay by the clock; the last visits that said something, the witnesses, do not. Where
//! sums weigh less than the witnesses, as after silence, these stand for h and n. Where the
//! latest witnesses contradict all before them, as after a change, they alone do: several in a row of which
//! the chance was below one in a thousand.

use crate::assets::{AssetId, Assets};
use crate::clock::Tick;
use crate::config::Config;
use crate::decay::Decay;
use crate::edge::{Edge, Manner};
use crate::level::Level;
use crate::networks::Networks;
use crate::node::Node;
use crate::observation::ClientClass;
use crate::witnesses::Scope;

/// The estimate of one asset of a page, with weights as of now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) asset: AssetId,
    pub(crate) probability: f32,
    pub(crate) lower_bound: f32,
    /// h, m and n at the page itself.
    pub(crate) hits: f32,
    pub(crate) mute: f32,
    pub(crate) effective: f32,
    /// The networks of the level that was seen from the most.
    pub(crate) networks: Networks,
    /// Mean rank in the order of requests, at the finest level that knows it.
    pub(crate) rank: f32,
    pub(crate) manner: Manner,
    /// The witnesses of the finest level that fetched it, one bit each, and those that say anything of it.
    pub(crate) fetched_by: u32,
    pub(crate) told_by: u32,
    /// Whether the latest full witness says otherwise than the probability.
    pub(crate) disputed: bool,
}

/// The evidence of one level.
#[derive(Clone, Copy, Debug, Default)]
struct Weighed {
    hits: f32,
    effective: f32,
    /// A few of the latest witnesses outweigh all before them.
    by_run: bool,
}

/// Fewest pages of a level that need an asset before it is expected of others.
const PAGES: u32 = 2;

/// Fewest witnesses in a row that may contradict all before them.
const RUN: u32 = 3;

/// A run of witnesses is a change when its chance was below this.
const CHANCE: f32 = 1e-3;

/// The latest witnesses contradict a probability when their chance was below this.
const DOUBT: f32 = 0.05;

/// No more than this is certain: clients fail to load now and then, and bots load what they like.
const ERROR: f32 = 0.03;

/// The factor from sums of a node to visits as of `tick`.
pub(crate) fn scale(node: &Node, decay: Decay, tick: Tick) -> f32 {
    decay.scale(node.epoch, tick)
}

/// Estimates every asset that any node of `chain`, from coarse to fine, knows.
pub(crate) fn estimates(
    chain: &[&Node],
    assets: &Assets,
    config: &Config,
    (decay, tick): (Decay, Tick),
    class: ClientClass,
) -> Vec<Estimate> {
    let mut known: Vec<(AssetId, usize, Edge)> = Vec::new();
    for (depth, node) in chain.iter().enumerate() {
        let edges = node.edges.iter();
        known.extend(edges.filter_map(|edge| Some((assets.resolve(edge.asset)?, depth, *edge))));
    }
    known.sort_unstable_by_key(|(asset, depth, _)| (*asset, *depth));
    let groups = known.chunk_by(|a, b| a.0 == b.0);
    let levels: Vec<Lender<'_>> = chain.iter().map(|node| Lender::new(node, scale(node, decay, tick))).collect();
    groups.map(|group| estimate(group, &levels, config, decay, class)).collect()
}

/// A node as it is asked about one asset after another.
struct Lender<'n> {
    node: &'n Node,
    scale: f32,
    /// It stands for many pages.
    of_many: bool,
    /// Its witnesses, of many pages the last of each.
    witnesses: u32,
}

impl<'n> Lender<'n> {
    fn new(node: &'n Node, scale: f32) -> Self {
        let of_many = node.is_of_many();
        let mut witnesses = 0;
        for (at, witness) in node.witnesses.iter().enumerate() {
            let mut later = node.witnesses.iter().skip(at + 1);
            if !(of_many && later.any(|later| later.page() == witness.page())) {
                witnesses |= 1 << at;
            }
        }
        Self { node, scale, of_many, witnesses }
    }
}

/// Estimates one asset from its edges, ordered by the place of their node in `chain`.
fn estimate(
    edges: &[(AssetId, usize, Edge)],
    chain: &[Lender<'_>],
    config: &Config,
    decay: Decay,
    class: ClientClass,
) -> Estimate {
    let kappa = config.kappa();
    let mut estimate = Estimate {
        asset: edges.first().map_or(0, |(asset, ..)| *asset),
        probability: 0.0,
        lower_bound: 0.0,
        hits: 0.0,
        mute: 0.0,
        effective: 0.0,
        networks: Networks::default(),
        rank: 255.0,
        manner: Manner::default(),
        fetched_by: 0,
        told_by: 0,
        disputed: false,
    };
    // When the coarser level first knew of it: an asset is no older on a page.
    let mut birth = 0;
    for (depth, lender) in chain.iter().enumerate() {
        let Lender { node, scale, .. } = lender;
        let mut merged: Option<Edge> = None;
        for (_, _, edge) in edges.iter().filter(|(_, at, _)| *at == depth) {
            match &mut merged {
                Some(merged) => {
                    merged.absorb(edge);
                    merged.fetched_by |= edge.fetched_by;
                    merged.muted_by &= edge.muted_by;
                }
                None => merged = Some(*edge),
            }
        }
        if merged.is_none() && node.full {
            // It may have been fetched all the same: the coarser level's opinion stands.
            continue;
        }
        let edge = merged.unwrap_or_else(|| Edge::new(estimate.asset, birth));
        birth = if merged.is_some() { edge.birth } else { birth };
        let told = Told::of(lender, &edge, class);
        let weighed =
            if lender.of_many { told.weigh_pages(node.level) } else { told.weigh(node, &edge, decay, *scale) };
        estimate.probability = (weighed.hits + kappa * estimate.probability) / (weighed.effective + kappa);
        if let Some(rank) = edge.order.rank() {
            estimate.rank = rank;
            estimate.manner = edge.manner;
        }
        if edge.networks.at_least() > estimate.networks.at_least() {
            estimate.networks = edge.networks;
        }
        if node.level.is_page() {
            (estimate.hits, estimate.mute) = (edge.hits as f32 * scale, edge.mute as f32 * scale);
            estimate.effective = weighed.effective;
        }
        (estimate.fetched_by, estimate.told_by) = (told.fetched, told.speaking);
        estimate.disputed = node.level != Level::Section
            && (weighed.by_run
                || told.latest.is_some_and(|fetched| {
                    let p = estimate.probability.clamp(ERROR, 1.0 - ERROR);
                    let chance = if fetched { p } else { 1.0 - p };
                    chance.powf(told.run(fetched) as f32) < DOUBT
                }));
    }
    let p = estimate.probability.clamp(0.0, 1.0);
    let spread = (p * (1.0 - p) / (estimate.effective + kappa + 1.0)).sqrt();
    estimate.probability = p;
    estimate.lower_bound = (p - config.z() * spread).max(0.0);
    estimate
}

impl Estimate {
    /// Whether any visit, to this page or to others like it, says how often it is needed.
    pub(crate) fn has_evidence(&self) -> bool {
        self.effective > 0.0 || self.probability > 0.0
    }
}

/// Whether an asset came to a node that was known already. Then the visit that revealed it is no evidence of how
/// often it is needed: it is counted because it needed it.
fn is_late_comer(node: &Node, edge: &Edge) -> bool {
    node.first < edge.birth
}

/// The testimony of a node's witnesses on one asset.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Those that say anything, and of them those that fetched it.
    speaking: u32,
    fetched: u32,
    /// The testimony of the latest full witness, if one says anything.
    latest: Option<bool>,
    /// Only those of one class of clients are asked, for the others say otherwise.
    of_class: bool,
    /// Those that fetched it and say nothing of what they did not fetch.
    positive: u32,
}

impl Told {
    /// Witnesses from before the asset was first fetched say nothing. Where the classes of clients
    /// differ clearly, only those of `class` do.
    fn of(Lender { node, witnesses, .. }: &Lender<'_>, edge: &Edge, class: ClientClass) -> Self {
        let (mut told, mut positive, mut phones, mut full) = (0u32, 0u32, 0u32, 0u32);
        let first = edge.birth.saturating_add(u32::from(is_late_comer(node, edge)));
        for (at, witness) in node.witnesses.iter().enumerate() {
            let bit = 1u32 << at;
            phones |= if witness.class() == ClientClass::Phone { bit } else { 0 };
            full |= if witness.scope() == Scope::Full { bit } else { 0 };
            if witness.second() < first {
                continue;
            }
            match witness.scope() {
                Scope::PositiveOnly => positive |= bit & edge.fetched_by,
                Scope::Assisted | Scope::Full => told |= bit,
            }
        }
        told &= witnesses & !(edge.muted_by & !edge.fetched_by);
        positive &= witnesses;
        // What clients fetch of whose caches nothing is known is fetched by too many of those that are counted.
        if told.count_ones() < 4 {
            told |= positive;
        }
        let fetched = edge.fetched_by & told;
        let mine = if class == ClientClass::Phone { phones } else { !phones };
        let rate = |of: u32| (fetched & of).count_ones() as f32 / of.count_ones() as f32;
        let (ours, others) = (told & mine, told & !mine);
        let few = ours.count_ones().min(others.count_ones());
        // Two of each that agree among themselves and differ from the others are enough.
        let apart = if few < 3 { 0.99 } else { 0.6 };
        if few >= 2 && (rate(ours) - rate(others)).abs() > apart {
            return Self { speaking: ours, fetched: fetched & ours, latest: None, of_class: true, positive };
        }
        let latest = (31 - (told & full).leading_zeros().min(31), told & full != 0);
        let latest = latest.1.then(|| fetched >> latest.0 & 1 == 1);
        Self { speaking: told, fetched, latest, of_class: false, positive }
    }

    /// How many of the latest all fetched it, or all did not.
    fn run(self, fetched: bool) -> u32 {
        self.in_run(fetched).count_ones()
    }

    fn in_run(self, fetched: bool) -> u32 {
        let against = self.speaking & if fetched { !self.fetched } else { self.fetched };
        if against == 0 { self.speaking } else { self.speaking & !(u32::MAX >> against.leading_zeros()) }
    }

    /// Whether more visits that are positive evidence only have fetched it since the latest began not to than these are.
    fn is_fetched_since(self) -> bool {
        let run = self.in_run(false);
        let since = u32::MAX.checked_shl(run.trailing_zeros()).unwrap_or(0);
        (self.positive & !self.speaking & since).count_ones() > run.count_ones()
    }

    /// h and n of the sums without the visits since the run began, which would hide in time what they contradict.
    fn before_run(self, fetched: bool, node: &Node, edge: &Edge) -> (u32, u32) {
        let first = node.witnesses.iter().nth(self.in_run(fetched).trailing_zeros() as usize);
        let lately = first.map_or(0, |first| node.visits.since(first.second()));
        let hits = if fetched { edge.hits.saturating_sub(lately) } else { edge.hits };
        let visits = node.visits.since(edge.birth).saturating_sub(lately);
        (hits, visits.saturating_sub(edge.mute).max(hits))
    }

    /// h and n of a level that stands for many pages, of each of which there is one witness. One page says nothing of another,
    /// but one query of a path does of the next: most tell no pages apart.
    fn weigh_pages(self, level: Level) -> Weighed {
        let (hits, told) = (self.fetched.count_ones(), self.speaking.count_ones());
        if told < PAGES {
            let lent = if level.is_page() { (hits, told) } else { (0, 0) };
            return Weighed { hits: lent.0 as f32, effective: lent.1 as f32, by_run: false };
        }
        for fetched in [false, true] {
            let run = self.run(fetched);
            let before = told - run;
            let hits_before = if fetched { hits.saturating_sub(run) } else { hits };
            if contradicts(fetched, run as f32, hits_before as f32, before as f32) {
                let hits = if fetched { run as f32 } else { 0.0 };
                return Weighed { hits, effective: run as f32, by_run: false };
            }
        }
        let hits = if hits < PAGES { 0 } else { hits };
        Weighed { hits: hits as f32, effective: told as f32, by_run: false }
    }

    /// h and n: of the sums, of the witnesses where they say more, or of the latest of these where they contradict the rest.
    fn weigh(self, node: &Node, edge: &Edge, decay: Decay, scale: f32) -> Weighed {
        let (hits, told) = (self.fetched.count_ones() as f32, self.speaking.count_ones() as f32);
        let revealed = Tick(u64::from(edge.birth) * 1000);
        let of_it = is_late_comer(node, edge) && decay.epoch(revealed) == node.epoch && edge.hits > 0;
        let revealing = if of_it { decay.gain(revealed, 1.0).min(edge.hits) } else { 0 };
        let since = node.visits.since(edge.birth).saturating_sub(edge.mute).max(edge.hits) - revealing;
        let sums =
            Weighed { hits: (edge.hits - revealing) as f32 * scale, effective: since as f32 * scale, by_run: false };
        let witnessed = Weighed { hits, effective: told, by_run: false };
        if self.of_class {
            return witnessed;
        }
        for fetched in [false, true] {
            let run = self.run(fetched) as f32;
            let (summed_hits, summed) = self.before_run(fetched, node, edge);
            let (before, before_hits) = if summed as f32 * scale > told - run {
                (summed as f32 * scale, summed_hits as f32 * scale)
            } else {
                (told - run, if fetched { hits - run } else { hits })
            };
            if (fetched || !self.is_fetched_since()) && contradicts(fetched, run, before_hits, before) {
                return Weighed { hits: if fetched { run } else { 0.0 }, effective: run, by_run: run < 8.0 };
            }
        }
        if sums.effective < told {
            return witnessed;
        }
        let (p, q) = (sums.hits / sums.effective.max(1e-6), hits / told.max(1.0));
        let spread = (p * (1.0 - p)).max(0.02) / told.max(1.0);
        if told >= 8.0 && (p - q).abs() > 3.0 * spread.sqrt() { witnessed } else { sums }
    }
}

/// Whether a run of the latest views, which all fetched the asset or all did not, is too improbable after the views before
/// it, of which so many did.
fn contradicts(fetched: bool, run: f32, hits_before: f32, before: f32) -> bool {
    if run < RUN as f32 || before < RUN as f32 {
        return false;
    }
    let p = (hits_before / before).clamp(ERROR, 1.0 - ERROR);
    let chance = if fetched { p } else { 1.0 - p };
    chance.powf(run) < CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: u32, fetched: u32) -> Told {
        Told { speaking: told, fetched, latest: None, of_class: false, positive: 0 }
    }

    #[test]
    fn runs_are_of_the_latest() {
        assert_eq!(told(0b1111, 0b1111).run(true), 4);
        assert_eq!(told(0b1111, 0b0011).run(false), 2);
        assert_eq!(told(0b1011, 0b0001).run(false), 2, "one that says nothing does not end a run");
        assert_eq!(told(0, 0).run(true), 0);
        assert_eq!(told(u32::MAX, 1 << 31).run(true), 1);
    }
}
