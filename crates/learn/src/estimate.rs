//! From evidence to probability: shrinkage towards the coarser level, then a lower
//! confidence bound.
//!
//! For each level k of a page, from coarse to fine, with N the visits that count, h
//! those that fetched the asset and m those on which its absence says nothing:
//!
//! ```text
//! n = max(N - m, h)
//! p = (h + kappa q) / (n + kappa)      q: p of the coarser level, 0 at the top
//! ```
//!
//! and at the page itself, `lower = p - z sqrt(p (1 - p) / (n + kappa + 1))`. A page
//! never seen has n = 0, so it holds the opinion of its template or section.

use crate::assets::{AssetId, Assets};
use crate::clock::Tick;
use crate::config::Config;
use crate::decay::{Decay, rebase};
use crate::level::Level;
use crate::networks::Networks;
use crate::node::{Edge, Node};

/// What is known of one asset of a page, with weights as of now.
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
}

/// The factor from sums of a node to weights as of `tick`.
pub(crate) fn scale(node: &Node, decay: Decay, tick: Tick) -> f32 {
    rebase(node.epoch, decay.epoch(tick)) / decay.gain(tick)
}

/// Estimates every asset that any node of `chain`, from coarse to fine, knows.
pub(crate) fn estimates(chain: &[&Node], assets: &Assets, config: &Config, decay: Decay, tick: Tick) -> Vec<Estimate> {
    let mut known: Vec<(AssetId, usize, Edge)> = Vec::new();
    for (depth, node) in chain.iter().enumerate() {
        let edges = node.edges.iter();
        known.extend(edges.filter_map(|edge| Some((assets.resolve(edge.asset)?, depth, *edge))));
    }
    known.sort_unstable_by_key(|(asset, depth, _)| (*asset, *depth));
    let groups = known.chunk_by(|a, b| a.0 == b.0);
    let scales: Vec<f32> = chain.iter().map(|node| scale(node, decay, tick)).collect();
    groups.map(|group| estimate(group, chain, &scales, config)).collect()
}

/// Estimates one asset from its edges, ordered by the place of their node in `chain`.
fn estimate(edges: &[(AssetId, usize, Edge)], chain: &[&Node], scales: &[f32], config: &Config) -> Estimate {
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
    };
    for (depth, (node, scale)) in chain.iter().zip(scales).enumerate() {
        let mut merged = Edge::new(estimate.asset);
        for (_, _, edge) in edges.iter().filter(|(_, at, _)| *at == depth) {
            merged.absorb(edge);
        }
        let (hits, mute) = (merged.hits * scale, merged.mute * scale);
        let effective = (node.weight * scale - mute).max(hits);
        estimate.probability = (hits + kappa * estimate.probability) / (effective + kappa);
        if merged.hits > 0.0 {
            estimate.rank = merged.rank / merged.hits;
        }
        if merged.networks.at_least() > estimate.networks.at_least() {
            estimate.networks = merged.networks;
        }
        if node.level == Level::Page {
            (estimate.hits, estimate.mute, estimate.effective) = (hits, mute, effective);
        }
    }
    let p = estimate.probability.clamp(0.0, 1.0);
    let spread = (p * (1.0 - p) / (estimate.effective + kappa + 1.0)).sqrt();
    estimate.probability = p;
    estimate.lower_bound = (p - config.z() * spread).max(0.0);
    estimate
}
