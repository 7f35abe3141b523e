//! Evidence about one page, template or section, in plain arithmetic.

use crate::assets::AssetId;
use crate::decay::{Epoch, MAX_WEIGHT, rebase};
use crate::level::Level;
use crate::networks::Networks;

/// What one level of a page has been seen to pull in.
///
/// All weights are forward-decayed sums relative to the landmark of `epoch`.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Keyed hash of the name.
    pub(crate) key: u64,
    pub(crate) site: u16,
    pub(crate) level: Level,
    pub(crate) epoch: Epoch,
    /// N: the visits that count.
    pub(crate) weight: f32,
    /// Visits that counted, without decay.
    pub(crate) visits: u32,
    pub(crate) networks: Networks,
    pub(crate) edges: Vec<Edge>,
    /// The name, once enough networks have been seen.
    pub(crate) name: Option<Box<str>>,
    /// The page answers no longer; it has no plan until it is visited again.
    pub(crate) gone: bool,
    /// Visits since the plan was last built.
    pub(crate) unpublished: u32,
    /// The count of asset fates when the edges were last put in order.
    pub(crate) fates: u32,
}

/// One asset of a node: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) asset: AssetId,
    /// h: visits that fetched it.
    pub(crate) hits: f32,
    /// m: visits on which its absence is no evidence.
    pub(crate) mute: f32,
    /// Sum over hits of the rank in the order of requests.
    pub(crate) rank: f32,
    pub(crate) networks: Networks,
}

/// What one visit says of one asset.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evidence {
    /// It was asked for, after so many others.
    Fetched { rank: u16 },
    /// It was not asked for, or would have been in any case.
    Mute,
}

impl Node {
    pub(crate) fn new(key: u64, site: u16, level: Level, epoch: Epoch, fates: u32) -> Self {
        Self {
            key,
            site,
            level,
            epoch,
            weight: 0.0,
            visits: 0,
            networks: Networks::default(),
            edges: Vec::new(),
            name: None,
            gone: false,
            unpublished: 0,
            fates,
        }
    }

    /// Moves all sums to the landmark of `epoch`.
    pub(crate) fn rebase(&mut self, epoch: Epoch) {
        if epoch <= self.epoch {
            return;
        }
        let factor = rebase(self.epoch, epoch);
        self.epoch = epoch;
        self.weight *= factor;
        for edge in &mut self.edges {
            edge.hits *= factor;
            edge.mute *= factor;
            edge.rank *= factor;
        }
    }

    /// Counts a visit of weight `gain`.
    pub(crate) fn count(&mut self, gain: f32, network: u64) {
        let cap = MAX_WEIGHT * gain;
        self.weight = (self.weight + gain).min(cap);
        self.visits = self.visits.saturating_add(1);
        self.unpublished = self.unpublished.saturating_add(1);
        self.networks.add(network, self.key);
        self.gone = false;
    }

    /// Takes in the visits of another node of the same name and landmark.
    pub(crate) fn absorb(&mut self, other: &Self, gain: f32) {
        let cap = MAX_WEIGHT * gain;
        self.weight = (self.weight + other.weight).min(cap);
        self.visits = self.visits.saturating_add(other.visits);
        self.networks.merge(other.networks);
        self.name = self.name.take().or_else(|| other.name.clone());
        self.gone = false;
    }

    /// Where the edge to this asset is: at `guess`, or found in O(e) by a scan of a few cache lines.
    pub(crate) fn place_of(&self, asset: AssetId, guess: usize) -> Option<usize> {
        if self.edges.get(guess).is_some_and(|edge| edge.asset == asset) {
            return Some(guess);
        }
        self.edges.iter().position(|edge| edge.asset == asset)
    }

    /// The edge with the fewest hits, if it has fewer than `hits`, and where it is.
    pub(crate) fn lightest_below(&mut self, hits: f32) -> Option<(usize, &mut Edge)> {
        let edges = self.edges.iter_mut().enumerate();
        edges.min_by(|(_, a), (_, b)| a.hits.total_cmp(&b.hits)).filter(|(_, edge)| edge.hits < hits)
    }

    /// Adds an edge, growing by a quarter: memory is dearer here than time.
    pub(crate) fn push(&mut self, edge: Edge) {
        if self.edges.len() == self.edges.capacity() {
            self.edges.reserve_exact((self.edges.len() / 4).max(2));
        }
        self.edges.push(edge);
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.edges.capacity() * size_of::<Edge>() + self.name.as_ref().map_or(0, |name| name.len())
    }
}

impl Edge {
    pub(crate) fn new(asset: AssetId) -> Self {
        Self { asset, hits: 0.0, mute: 0.0, rank: 0.0, networks: Networks::default() }
    }

    /// Takes in one visit of weight `gain`.
    pub(crate) fn record(&mut self, evidence: Evidence, gain: f32) {
        let cap = MAX_WEIGHT * gain;
        match evidence {
            Evidence::Fetched { rank } => {
                if self.hits < cap {
                    self.rank += f32::from(rank.min(255)) * gain;
                }
                self.hits = (self.hits + gain).min(cap);
            }
            Evidence::Mute => self.mute = (self.mute + gain).min(cap),
        }
    }

    /// Keeps the sums within bounds after `absorb`.
    pub(crate) fn cap(&mut self, gain: f32) {
        let cap = MAX_WEIGHT * gain;
        self.hits = self.hits.min(cap);
        self.mute = self.mute.min(cap);
        self.rank = self.rank.min(255.0 * cap);
    }

    /// Takes over the evidence of another edge of the same node.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.hits += other.hits;
        self.mute += other.mute;
        self.rank += other.rank;
        self.networks.merge(other.networks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_24_bytes() {
        assert_eq!(size_of::<Edge>(), 24);
    }

    #[test]
    fn growth_is_by_a_quarter() {
        let mut node = Node::new(1, 0, Level::Page, 0, 0);
        for asset in 0..1000 {
            node.push(Edge::new(asset));
            let (len, capacity) = (node.edges.len(), node.edges.capacity());
            assert!(capacity <= len + (len / 4).max(2), "{len} {capacity}");
        }
    }
}
