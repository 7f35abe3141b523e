//! The evidence: every node, every asset, and how a visit is taken in.

use crate::assets::{AssetId, Assets};
use crate::clock::Tick;
use crate::config::Config;
use crate::decay::{Decay, rebase};
use crate::directory::Directory;
use crate::finding::Finding;
use crate::keymap::KeyMap;
use crate::keys::Keys;
use crate::level::{Level, levels};
use crate::node::{Edge, Node};
use crate::published::Plans;
use crate::sketch::Sketch;
use crate::slab::Slab;
use crate::stats::Stats;
use crate::time::millis;
use crate::visit::OpenVisit;
use crate::votes::Votes;

/// The model. Plain data: the learner holds it under one lock.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) nodes: Slab<Node>,
    pub(crate) by_key: KeyMap,
    pub(crate) assets: Assets,
    pub(crate) decay: Decay,
    votes: Votes,
    pub(crate) sketch: Sketch,
    /// Bytes of heap that hang from the nodes.
    pub(crate) node_bytes: usize,
    pub(crate) limits: Limits,
    /// State of a xorshift generator; never zero.
    pub(crate) random: u64,
    pub(crate) counts: Counts,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    bytes: usize,
    nodes: usize,
    edges: usize,
    pub(crate) min_networks: u32,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) learned: u64,
    pub(crate) not_a_page: u64,
    pub(crate) silent: u64,
    pub(crate) repeated: u64,
    pub(crate) evicted: u64,
    pub(crate) refused: u64,
}

/// What the model shares with readers.
pub(crate) struct Outside<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) directory: &'a Directory,
    pub(crate) plans: &'a Plans,
}

/// What a node costs with its place in the map, in bytes, at most.
const NODE_BYTES: usize = size_of::<Option<Node>>() + 2 * 17;

impl Model {
    /// An empty model that keeps to `bytes` bytes of heap.
    pub(crate) fn new(config: &Config, bytes: usize, seed: u64) -> Self {
        let votes = Votes::new(config.memory_bytes() / 64, millis(config.vote_interval()));
        let sketch = Sketch::new(config.memory_bytes() / 64);
        let bytes = bytes.saturating_sub(votes.bytes() + sketch.bytes());
        Self {
            nodes: Slab::new(),
            by_key: KeyMap::new(seed),
            assets: Assets::new((bytes / 4 / Assets::ENTRY_BYTES).max(64), seed),
            decay: Decay::new(millis(config.half_life())),
            votes,
            sketch,
            node_bytes: 0,
            limits: Limits {
                bytes,
                nodes: config.max_pages().min(bytes / 4 / NODE_BYTES).max(3),
                edges: config.max_assets_per_page(),
                min_networks: config.min_networks(),
            },
            random: seed | 1,
            counts: Counts::default(),
        }
    }

    /// Learns a visit that has closed.
    pub(crate) fn learn(&mut self, visit: &OpenVisit, outside: &Outside<'_>) {
        if !visit.counts() {
            let reason = if visit.confirmed.is_none() { &mut self.counts.not_a_page } else { &mut self.counts.silent };
            *reason += 1;
            return;
        }
        let vote = outside.keys.vote(visit.network, visit.path_hash);
        if !self.votes.cast(vote, visit.opened) {
            self.counts.repeated += 1;
            return;
        }
        self.counts.learned += 1;
        let network = outside.keys.network(visit.network);
        let findings = self.findings(visit, network, outside);
        for (level, name) in levels(&visit.path) {
            let key = match level {
                Level::Page => visit.path_hash,
                Level::Section | Level::Template => level.key(outside.keys, visit.site, &name),
            };
            let site = visit.site.index;
            if let Some(id) = self.find_or_admit(key, site, level, visit.opened, outside) {
                self.record(id, &name, visit, network, &findings, outside);
            }
        }
        for finding in &findings {
            self.assets.release(finding.asset, outside.directory);
        }
    }

    /// The page answers no longer.
    pub(crate) fn page_gone(&mut self, key: u64, outside: &Outside<'_>) {
        let Some(id) = self.by_key.get(key) else { return };
        let Some(node) = self.nodes.get_mut(id) else { return };
        node.gone = true;
        node.weight = 0.0;
        node.visits = 0;
        self.node_bytes -= node.bytes();
        let edges = std::mem::take(&mut node.edges);
        self.node_bytes += node.bytes();
        for edge in edges {
            self.assets.release(edge.asset, outside.directory);
        }
        outside.plans.remove(key);
    }

    /// The node with this key, its edges in order.
    pub(crate) fn node(&mut self, key: u64, outside: &Outside<'_>) -> Option<u32> {
        let id = self.by_key.get(key)?;
        self.tidy(id, outside.directory);
        Some(id)
    }

    /// Adds a node as it is. The caller has made sure of room.
    pub(crate) fn insert(&mut self, node: Node) -> u32 {
        let key = node.key;
        self.node_bytes += node.bytes();
        let id = self.nodes.insert(node);
        self.by_key.insert(key, id);
        id
    }

    /// Whether a new node would have to push another out.
    pub(crate) fn is_full(&self) -> bool {
        self.nodes.len() >= self.limits.nodes || self.counted_bytes() >= self.limits.bytes
    }

    /// Most edges of a node of this level.
    pub(crate) fn max_edges(&self, level: Level) -> usize {
        match level {
            Level::Page => self.limits.edges,
            Level::Section | Level::Template => 2 * self.limits.edges,
        }
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.counted_bytes() + self.votes.bytes() + self.sketch.bytes()
    }

    pub(crate) fn add_stats(&self, stats: &mut Stats) {
        stats.pages = self.nodes.len();
        (stats.assets, stats.shown_assets) = self.assets.counts();
        stats.edges = self.nodes.iter().map(|(_, node)| node.edges.len()).sum();
        stats.bytes += self.bytes();
        stats.learned = self.counts.learned;
        stats.reasons.not_a_page += self.counts.not_a_page;
        stats.reasons.no_assets += self.counts.silent;
        stats.reasons.voted += self.counts.repeated;
        stats.evicted = self.counts.evicted;
        stats.reasons.no_room += self.counts.refused;
        stats.renamed = self.assets.renamed;
    }

    fn counted_bytes(&self) -> usize {
        self.nodes.bytes() + self.by_key.bytes() + self.assets.bytes() + self.node_bytes
    }

    /// The node with this key, added if it weighs more than one that must give way.
    pub(crate) fn find_or_admit(
        &mut self,
        key: u64,
        site: u16,
        level: Level,
        tick: Tick,
        outside: &Outside<'_>,
    ) -> Option<u32> {
        if let Some(id) = self.by_key.get(key) {
            return Some(id);
        }
        let epoch = self.decay.epoch(tick);
        if self.is_full() {
            let seen = f32::from(self.sketch.add(key)) * self.decay.gain(tick);
            let victim = self.sample_lightest(None, epoch);
            let Some((victim, _)) = victim.filter(|(_, weight)| *weight < seen) else {
                self.counts.refused += 1;
                return None;
            };
            self.evict(victim, outside);
        }
        Some(self.insert(Node::new(key, site, level, epoch, self.assets.fates)))
    }

    /// Adds a visit to one node.
    fn record(
        &mut self,
        id: u32,
        name: &str,
        visit: &OpenVisit,
        network: u64,
        findings: &[Finding<'_>],
        outside: &Outside<'_>,
    ) {
        self.tidy(id, outside.directory);
        let epoch = self.decay.epoch(visit.opened);
        let Some(level) = self.nodes.get(id).map(|node| node.level) else { return };
        let max_edges = self.max_edges(level);
        let Some(node) = self.nodes.get_mut(id) else { return };
        let before = node.bytes();
        node.rebase(epoch);
        let gain = self.decay.gain(visit.opened) * rebase(epoch, node.epoch);
        node.count(gain, network);
        if node.name.is_none() && node.networks.at_least() >= self.limits.min_networks {
            node.name = Some(name.into());
        }
        let (key, mut next) = (node.key, 0);
        for finding in findings {
            let fetched = finding.is_fetched();
            let mut table = Table { assets: &mut self.assets, sketch: &mut self.sketch, max_edges, outside };
            let Some(at) = table.place(node, finding.asset, next, fetched.then_some(gain)) else { continue };
            // Visits ask for the same assets in much the same order.
            next = at + 1;
            let Some(edge) = node.edges.get_mut(at) else { continue };
            edge.record(finding.evidence, gain);
            if fetched {
                edge.networks.add(network, finding.record.asset ^ key);
            }
        }
        self.node_bytes = self.node_bytes + node.bytes() - before;
        if node.unpublished.saturating_mul(16) >= node.visits {
            outside.plans.mark_stale(node.key);
        }
        self.shrink(id, outside);
    }

    /// Adds the evidence of `other`, whose sums are relative to the same landmark.
    pub(crate) fn absorb(&mut self, id: u32, other: &Node, edges: &[Edge], gain: f32, outside: &Outside<'_>) {
        let max_edges = self.max_edges(other.level);
        let Some(node) = self.nodes.get_mut(id) else { return };
        let before = node.bytes();
        node.rebase(other.epoch);
        node.absorb(other, gain);
        for (guess, edge) in edges.iter().enumerate() {
            let weight = (edge.hits > 0.0).then_some(edge.hits);
            let mut table = Table { assets: &mut self.assets, sketch: &mut self.sketch, max_edges, outside };
            let at = table.place(node, edge.asset, guess, weight);
            if let Some(place) = at.and_then(|at| node.edges.get_mut(at)) {
                place.absorb(edge);
                place.cap(gain);
            }
        }
        self.node_bytes = self.node_bytes + node.bytes() - before;
        outside.plans.mark_stale(other.key);
        self.shrink(id, outside);
    }

    /// Lets light nodes go until the limit of bytes is kept, but not `spare`.
    pub(crate) fn shrink(&mut self, spare: u32, outside: &Outside<'_>) {
        while self.counted_bytes() > self.limits.bytes && self.evict_lightest(Some(spare), outside) {}
    }

    /// Drops edges to assets that are gone and moves those of assets that were renamed.
    pub(crate) fn tidy(&mut self, id: u32, directory: &Directory) {
        let fates = self.assets.fates;
        let Some(node) = self.nodes.get_mut(id) else { return };
        if node.fates == fates {
            return;
        }
        node.fates = fates;
        let edges = std::mem::take(&mut node.edges);
        self.node_bytes -= edges.capacity() * size_of::<Edge>();
        let mut kept: Vec<Edge> = Vec::with_capacity(edges.len());
        for edge in edges {
            if let Some(asset) = self.assets.resolve(edge.asset) {
                self.assets.retain(asset);
                match kept.iter_mut().find(|other| other.asset == asset) {
                    Some(other) => {
                        other.absorb(&edge);
                        self.assets.release(asset, directory);
                    }
                    None => kept.push(Edge { asset, ..edge }),
                }
            }
            self.assets.release(edge.asset, directory);
        }
        self.node_bytes += kept.capacity() * size_of::<Edge>();
        if let Some(node) = self.nodes.get_mut(id) {
            node.edges = kept;
        }
    }
}

/// What an edge needs to find its place.
struct Table<'a> {
    assets: &'a mut Assets,
    sketch: &'a mut Sketch,
    max_edges: usize,
    outside: &'a Outside<'a>,
}

impl Table<'_> {
    /// Where the edge of `node` to `asset` is, perhaps at `guess`. It is added if there
    /// is room, or if it is seen more often, each time with `weight`, than the
    /// lightest weighs. Without a weight it displaces nothing.
    fn place(&mut self, node: &mut Node, asset: AssetId, guess: usize, weight: Option<f32>) -> Option<usize> {
        if let Some(at) = node.place_of(asset, guess) {
            return Some(at);
        }
        if node.edges.len() < self.max_edges {
            self.assets.retain(asset);
            node.push(Edge::new(asset));
            return Some(node.edges.len() - 1);
        }
        let hash = self.assets.get(asset)?.hash;
        let seen = f32::from(self.sketch.add(self.outside.keys.edge(node.key, hash)));
        let (at, lightest) = node.lightest_below(seen * weight?)?;
        self.assets.retain(asset);
        self.assets.release(lightest.asset, self.outside.directory);
        *lightest = Edge::new(asset);
        Some(at)
    }
}
