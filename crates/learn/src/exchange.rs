//! Giving away what was learned, and taking in what others have learned.

use std::collections::BTreeMap;

use crate::assets::Asset;
use crate::decay::MAX_WEIGHT;
use crate::delta::{AssetDelta, Delta, Described, EdgeDelta, NodeDelta, NodeKey, UNIT};
use crate::finding::Finding;
use crate::learner::Learner;
use crate::model::{Model, Outside};
use crate::networks::Networks;
use crate::node::{Edge, Evidence, Node};
use crate::observation::Site;
use crate::planner::Now;
use crate::sync::lock;
use crate::time::Time;
use crate::visit::OpenVisit;

/// What has been learned since a delta was last taken.
#[derive(Debug)]
pub(crate) struct Collector {
    delta: Delta,
    /// Most nodes and edges.
    max: usize,
    len: usize,
}

/// What an edge of a delta costs in a B-tree that is two thirds full, in bytes.
const EDGE_BYTES: usize = 96;

impl Learner {
    /// What was learned since this was last called, for other learners with the same
    /// key and half-life; empty unless [`Config::collect_deltas`](crate::Config::collect_deltas).
    ///
    /// What does not fit into 1/16 of the memory between two calls is left out.
    pub fn take_delta(&self) -> Delta {
        let mut model = lock(&self.model);
        model.collector.as_mut().map(Collector::take).unwrap_or_default()
    }

    /// Takes in what other learners with the same key and half-life have learned.
    ///
    /// It is not collected again: machines that exchange deltas send each its own to all.
    /// A network that votes on two machines has two votes. O(n log n).
    pub fn merge(&self, now: Time, delta: &Delta) {
        let now = Now { time: now, tick: self.tick(now) };
        for (key, node) in &delta.nodes {
            let authority = delta.sites.get(&node.site);
            let site = authority.and_then(|authority| self.site(authority));
            // Under another key the salt is another; then no hash in the delta means anything here.
            let Some(site) = site.filter(|site| site.salt == node.site) else { continue };
            lock(&self.model).take_in(now, site, *key, node, delta, &self.outside());
        }
    }
}

impl Collector {
    /// A collector of at most `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { delta: Delta::default(), max: bytes / EDGE_BYTES, len: 0 }
    }

    /// Bytes of heap, at most.
    pub(crate) fn bytes(&self) -> usize {
        self.len * EDGE_BYTES
    }

    fn take(&mut self) -> Delta {
        self.len = 0;
        std::mem::take(&mut self.delta)
    }

    fn edge(&mut self, node: NodeKey, asset: u64, edge: &EdgeDelta) {
        if let Some(node) = self.delta.nodes.get_mut(&node) {
            self.len += usize::from(!node.edges.contains_key(&asset));
            node.edges.entry(asset).or_default().merge(edge);
        }
    }
}

impl Model {
    /// Notes for the next delta what a visit has added to a node.
    pub(crate) fn collect(
        &mut self,
        now: Now,
        id: u32,
        visit: &OpenVisit,
        network: u64,
        findings: &[Finding<'_>],
        outside: &Outside<'_>,
    ) {
        let (Some(collector), Some(node)) = (self.collector.as_mut(), self.nodes.get(id)) else { return };
        if collector.len + findings.len() + 4 > collector.max {
            return;
        }
        let age = now.tick.0.saturating_sub(visit.opened.0);
        let opened = now.time.as_millis().saturating_sub(age);
        let (bucket, gain) = self.decay.bucket(opened);
        let unit = (gain * UNIT as f64) as u64;
        let key = NodeKey { key: node.key, bucket };
        if let Some(authority) = outside.sites.name(visit.site) {
            collector.delta.sites.entry(visit.site.salt).or_insert(authority);
        }
        let think = visit.confirmed.map_or(0, |tick| tick.0.saturating_sub(visit.opened.0));
        let entry = collector.delta.nodes.entry(key).or_insert_with(|| {
            collector.len += 4;
            NodeDelta {
                site: visit.site.salt,
                level: node.level,
                name: None,
                weight: 0,
                think: 0,
                visits: 0,
                networks: Networks::default(),
                edges: BTreeMap::new(),
            }
        });
        entry.name = entry.name.take().max(node.name.clone());
        entry.weight = entry.weight.saturating_add(unit);
        entry.think = entry.think.saturating_add(unit.saturating_mul(think));
        entry.visits = entry.visits.saturating_add(1);
        entry.networks.add(network, node.key);
        for finding in findings {
            let Some(asset) = self.assets.get(finding.asset) else { continue };
            let mut edge = EdgeDelta::default();
            match finding.evidence {
                Evidence::Fetched { rank } => {
                    edge.hits = unit;
                    edge.rank = unit.saturating_mul(u64::from(rank.min(255)));
                    edge.networks.add(network, asset.hash ^ node.key);
                }
                Evidence::Mute => edge.mute = unit,
            }
            let shown = asset.shown.as_ref().and_then(|shown| {
                Some(Described { seen: opened, path: (*shown.path).into(), metadata: shown.metadata()? })
            });
            let delta = AssetDelta { site: visit.site.salt, stem: asset.stem, networks: asset.networks, shown };
            collector.edge(key, asset.hash, &edge);
            collector.delta.assets.entry(asset.hash).and_modify(|known| known.merge(&delta)).or_insert(delta);
        }
    }

    /// Adds one node of a delta.
    fn take_in(&mut self, now: Now, site: Site, key: NodeKey, other: &NodeDelta, delta: &Delta, outside: &Outside<'_>) {
        let Some(id) = self.find_or_admit(key.key, site.index, other.level, now.tick, outside) else { return };
        self.tidy(id, outside.directory);
        // Weights as of now, then as of the landmark.
        let gain = self.decay.gain(now.tick);
        let scale = self.decay.bucket_remains(key.bucket, now.time.as_millis()) * gain / UNIT as f32;
        let sum = |fixed: u64| (fixed as f32 * scale).min(MAX_WEIGHT * gain * 1e3);
        let epoch = self.decay.epoch(now.tick);
        let mut edges = Vec::with_capacity(other.edges.len());
        for (hash, edge) in &other.edges {
            let Some(asset) = self.asset_of(*hash, site, now, delta, outside) else { continue };
            self.assets.retain(asset);
            edges.push(Edge {
                asset,
                hits: sum(edge.hits).min(MAX_WEIGHT * gain),
                mute: sum(edge.mute).min(MAX_WEIGHT * gain),
                rank: sum(edge.rank),
                networks: edge.networks,
            });
        }
        let mut added = Node::new(key.key, site.index, other.level, epoch, 0);
        added.weight = sum(other.weight).min(MAX_WEIGHT * gain);
        added.think = sum(other.think);
        added.visits = other.visits;
        added.networks = other.networks;
        let name = other.name.as_ref().filter(|name| other.level.key(outside.keys, site, name) == key.key);
        added.name = name.cloned();
        self.absorb(id, &added, &edges, gain, outside);
        for edge in &edges {
            self.assets.release(edge.asset, outside.directory);
        }
    }

    /// The asset of a delta, added if it is new here.
    fn asset_of(&mut self, hash: u64, site: Site, now: Now, delta: &Delta, outside: &Outside<'_>) -> Option<u32> {
        let other = delta.assets.get(&hash).filter(|other| other.site == site.salt)?;
        let seconds = u32::try_from(now.tick.0 / 1000).unwrap_or(u32::MAX);
        let id = match self.assets.find(hash) {
            Some(id) => id,
            None => self.assets.add(Asset::new(hash, other.stem, site.index, seconds))?,
        };
        self.assets.vouch(id, other.networks);
        let shown = other.shown.as_ref().filter(|shown| outside.keys.path(site, &shown.path) == hash);
        if let Some(described) = shown {
            self.assets.show(id, &described.path, described.metadata, outside.directory);
        }
        Some(id)
    }
}
