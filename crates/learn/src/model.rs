//! The evidence: every node and every asset.

mod counts;
mod findings;
mod fleet;
mod learning;

use self::counts::Counts;
use self::findings::Findings;
use crate::accumulator::{Accumulator, Gone};
use crate::assets::Assets;
use crate::clock::Tick;
use crate::config::Config;
use crate::decay::Decay;
use crate::directory::Directory;
use crate::edge::Edge;
use crate::keys::Keys;
use crate::level::Level;
use crate::level_name::LevelName;
use crate::node::Node;
use crate::nodes::{NODE_BYTES, Nodes};
use crate::page::Page;
use crate::page_reasons::ReasonTable;
use crate::plans::Plans;
use crate::site::Site;
use crate::sketch::Sketch;
use crate::sync::Arc;
use crate::time::millis;
use crate::votes::Votes;
use crate::witnesses::seconds;

/// The model. Plain data: the learner holds it under one lock.
#[derive(Debug)]
pub(crate) struct Model {
    nodes: Nodes,
    assets: Assets,
    votes: Votes,
    sketch: Sketch,
    keys: Keys,
    plans: Arc<Plans>,
    reasons: ReasonTable,
    decay: Decay,
    limits: Limits,
    counts: Counts,
    /// The memory of the findings of the visit before.
    emptied: Findings,
    /// Evidence for other servers, if there are any.
    accumulator: Option<Box<Accumulator>>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    bytes: usize,
    edges: usize,
    min_networks: u32,
}

/// The nodes of a page that exist, from coarse to fine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    ids: Vec<u32>,
    /// Key of the finest of them.
    pub(crate) key: u64,
    /// Key of the plan.
    pub(crate) plan: u64,
}

/// One level of a page.
#[derive(Clone, Copy)]
struct LevelKey<'p> {
    level: Level,
    key: u64,
    /// `None` where only the hash is known.
    name: Option<LevelName<'p>>,
    /// The node with this key when it was last looked up.
    node: Option<u32>,
}

/// The levels of a page from coarse to fine, each in its place; see [`Level::code`].
type Levels<'p> = [Option<LevelKey<'p>>; 4];

impl Model {
    /// An empty model that keeps to `bytes` bytes of heap.
    pub(crate) fn new(config: &Config, bytes: usize, keys: Keys, directory: Arc<Directory>, plans: Arc<Plans>) -> Self {
        let votes = Votes::new(config.memory_bytes() / 64, millis(config.vote_interval()));
        let sketch = Sketch::new(config.memory_bytes() / 64);
        let reasons = ReasonTable::new(config.memory_bytes() / 256);
        let bytes = bytes.saturating_sub(votes.bytes() + sketch.bytes() + reasons.bytes());
        let seed = keys.seed();
        let assets = (bytes / 4 / Assets::ENTRY_BYTES).max(64);
        Self {
            nodes: Nodes::new(config.max_pages().min(bytes / 4 / NODE_BYTES).max(3), seed),
            assets: Assets::new(assets, config.min_networks(), directory, seed),
            votes,
            sketch,
            keys,
            plans,
            reasons,
            decay: Decay::new(millis(config.half_life())),
            limits: Limits { bytes, edges: config.max_assets_per_page(), min_networks: config.min_networks() },
            counts: Counts::default(),
            emptied: Findings::default(),
            accumulator: None,
        }
    }

    pub(crate) fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The assets, to be changed; edges keep what they point to.
    pub(crate) fn assets_mut(&mut self) -> &mut Assets {
        &mut self.assets
    }

    /// Why the visits and assets of each page taught nothing.
    pub(crate) fn reasons(&self) -> &ReasonTable {
        &self.reasons
    }

    pub(crate) fn reasons_mut(&mut self) -> &mut ReasonTable {
        &mut self.reasons
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn decay(&self) -> Decay {
        self.decay
    }

    pub(crate) fn min_networks(&self) -> u32 {
        self.limits.min_networks
    }

    /// A network was told that a page or an asset is there no longer.
    pub(crate) fn gone(&mut self, key: u64, network: u64, tick: Tick) {
        let gone = Gone { key, second: seconds(tick), tag: crate::tombstone::tag(network, key) };
        let known = self.nodes.find(key).is_some() || self.assets.find(key).is_some();
        if let Some(accumulator) = self.accumulator.as_mut().filter(|_| known) {
            accumulator.add_gone(gone);
        }
        self.bury(gone);
    }

    /// Takes in that a network was told so, here or elsewhere.
    fn bury(&mut self, Gone { key, second, tag }: Gone) {
        self.assets.gone(key, tag, second);
        if let Some(id) = self.nodes.find(key) {
            self.nodes.update(id, |node| node.tombstone.add(second, tag));
            self.mark_stale(key);
        }
    }

    /// The nodes of a page, their edges in order; `None` if none is known.
    pub(crate) fn chain(&mut self, site: Site, page: Page<'_>) -> Option<Chain> {
        let mut chain = Chain { ids: Vec::with_capacity(4), key: 0, plan: 0 };
        let mut finest = Level::Section;
        let path = self.keys.path(site, page.path);
        for LevelKey { key, level, .. } in self.levels(site, path, page).into_iter().flatten() {
            if let Some(id) = self.nodes.find(key) {
                self.tidy(id);
                chain.ids.push(id);
                chain.key = key;
                finest = level;
            }
        }
        chain.plan = match (page.query, finest) {
            (None, Level::Page | Level::Query) => path,
            (Some(_), Level::Page) => lent_key(path),
            _ => chain.key,
        };
        (!chain.ids.is_empty()).then_some(chain)
    }

    pub(crate) fn nodes_of(&self, chain: &Chain) -> Vec<&Node> {
        chain.ids.iter().filter_map(|id| self.nodes.get(*id)).collect()
    }

    /// A plan of the finest node of a chain was built.
    pub(crate) fn published(&mut self, chain: &Chain) {
        for id in &chain.ids {
            self.nodes.update(*id, |node| {
                if node.key == chain.key {
                    node.unpublished = 0;
                }
            });
        }
    }

    /// The levels of a page from coarse to fine. Without a query a page is one of its own only beside others with one.
    /// `path` is the keyed hash of its path.
    fn levels<'p>(&self, site: Site, path: u64, page: Page<'p>) -> Levels<'p> {
        let known = self.nodes.find(path);
        let level = |level, key, name, node| Some(LevelKey { level, key, name: Some(name), node });
        let named = |at, name: LevelName<'p>| level(at, name.key(&self.keys, site), name, None);
        let queried = || known.and_then(|id| self.nodes.get(id)).is_some_and(|node| node.queried);
        let query = page.query.or_else(|| queried().then_some(""));
        [
            named(Level::Section, LevelName::section(page.path)),
            LevelName::template(page.path).and_then(|name| named(Level::Template, name)),
            level(Level::Page, path, LevelName::Page(page.path), known),
            query.and_then(|query| named(Level::Query, LevelName::Query(page.path, query))),
        ]
    }

    /// Whether a new node would have to push another out.
    pub(crate) fn is_full(&self) -> bool {
        self.nodes.is_full() || self.counted_bytes() >= self.limits.bytes
    }

    /// Most edges of a node of this level.
    fn max_edges(&self, level: Level) -> usize {
        if level.is_page() { self.limits.edges } else { 2 * self.limits.edges }
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.counted_bytes() + self.votes.bytes() + self.sketch.bytes() + self.reasons.bytes()
    }

    fn counted_bytes(&self) -> usize {
        self.nodes.bytes() + self.assets.bytes()
    }

    /// The node with this key, added if it weighs more than one that must give way.
    fn find_or_admit(&mut self, LevelKey { key, level, node, .. }: LevelKey<'_>, site: u16, tick: Tick) -> Option<u32> {
        let is_it = |id: &u32| self.nodes.get(*id).is_some_and(|node| node.key == key);
        if let Some(id) = node.filter(is_it).or_else(|| self.nodes.find(key)) {
            return Some(id);
        }
        if self.is_full() {
            let seen = f32::from(self.sketch.add(key));
            if !self.evict_lighter(None, seen, tick) {
                self.counts.no_room += 1;
                return None;
            }
        }
        let epoch = self.decay.epoch(tick);
        Some(self.nodes.insert(Node::new(key, site, level, epoch, self.assets.fates)))
    }

    /// Adds a node as it is. The caller has made room.
    pub(crate) fn insert(&mut self, node: Node, tick: Tick) {
        let id = self.nodes.insert(node);
        self.shrink(id, tick);
    }

    /// Adds the evidence of another node of the same name to one that is known.
    pub(crate) fn absorb(&mut self, id: u32, other: &Node, tick: Tick) {
        self.tidy(id);
        let max_edges = self.max_edges(other.level);
        let (assets, counts) = (&mut self.assets, &mut self.counts);
        self.nodes.update(id, |node| {
            let bits = node.absorb(other);
            for (guess, edge) in other.edges.iter().enumerate() {
                let at = match node.place_of(edge.asset, guess) {
                    None if node.edges.len() >= max_edges => {
                        node.full = true;
                        counts.page_full += 1;
                        continue;
                    }
                    None => {
                        assets.retain(edge.asset);
                        node.push(Edge::new(edge.asset, edge.birth));
                        node.edges.len() - 1
                    }
                    Some(at) => at,
                };
                node.absorb_edge(at, edge, other.epoch, &bits);
            }
        });
        self.mark_stale(other.key);
        self.shrink(id, tick);
    }

    fn mark_stale(&self, key: u64) {
        self.plans.mark_stale(key);
        self.plans.mark_stale(phone_key(key));
    }

    /// Marks the plans of a path with several queries: that of the page without one, and that of queries not seen before.
    fn mark_path_stale(&self, path: u64) {
        self.mark_stale(path);
        self.mark_stale(lent_key(path));
    }

    /// Lets light nodes go until the limit of bytes is kept, but not `spare`.
    fn shrink(&mut self, spare: u32, tick: Tick) {
        while self.counted_bytes() > self.limits.bytes && self.evict_lighter(Some(spare), f32::INFINITY, tick) {}
    }

    /// Lets a node go that is lighter than `weight`, and what only it pointed to. Whether there was one.
    fn evict_lighter(&mut self, spare: Option<u32>, weight: f32, tick: Tick) -> bool {
        let victim = self.nodes.sample_lightest(spare, self.decay, tick).filter(|(_, least)| *least < weight);
        victim.is_some_and(|(id, _)| self.evict(id))
    }

    /// Forgets all that is known of a site that has lost its place to this one. O(nodes), a few milliseconds at most.
    pub(crate) fn forget_site(&mut self, site: Site) {
        for id in self.nodes.of_site(site.index) {
            self.evict(id);
        }
    }

    /// Lets a node go, and what only it pointed to. Whether there was one.
    fn evict(&mut self, id: u32) -> bool {
        let Some(node) = self.nodes.evict(id) else { return false };
        for key in [node.key, lent_key(node.key)] {
            self.plans.remove(key);
            self.plans.remove(phone_key(key));
        }
        for edge in &node.edges {
            self.assets.release(edge.asset);
        }
        self.assets.sweep_loose();
        true
    }

    /// Moves edges of assets that were renamed to what they were renamed to.
    pub(crate) fn tidy(&mut self, id: u32) {
        let fates = self.assets.fates;
        if self.nodes.get(id).is_none_or(|node| node.fates == fates) {
            return;
        }
        let assets = &mut self.assets;
        self.nodes.update(id, |node| {
            node.fates = fates;
            let edges = std::mem::take(&mut node.edges);
            let mut kept: Vec<Edge> = Vec::with_capacity(edges.len());
            for edge in edges {
                if let Some(asset) = assets.resolve(edge.asset) {
                    assets.retain(asset);
                    match kept.iter_mut().find(|other| other.asset == asset) {
                        Some(other) => {
                            other.absorb(&edge);
                            other.fetched_by |= edge.fetched_by;
                            other.muted_by = (other.muted_by | edge.muted_by) & !other.fetched_by;
                            assets.release(asset);
                        }
                        None => kept.push(Edge { asset, ..edge }),
                    }
                }
                assets.release(edge.asset);
            }
            node.edges = kept;
        });
    }

    /// Brings a node into the form in which it is written: no later visit or merge makes it another.
    pub(crate) fn settle(&mut self, id: u32) {
        self.tidy(id);
        self.nodes.update(id, |node| node.visits.coarsen());
    }

    /// Whether a node of this weight may come: there is room, or something lighter was let go.
    pub(crate) fn make_room(&mut self, node: &Node, tick: Tick) -> bool {
        let weight = crate::nodes::weight(node, self.decay, tick);
        while self.is_full() {
            if !self.evict_lighter(None, weight, tick) {
                return false;
            }
        }
        // Its assets need room too.
        for _ in 0..64 {
            if !self.assets.is_full() || !self.evict_lighter(None, weight, tick) {
                break;
            }
        }
        true
    }
}

/// The key of the plan that a path lends to queries that were not seen before.
fn lent_key(path: u64) -> u64 {
    path.rotate_left(16) ^ 0xc2b2_ae3d_27d4_eb4f
}

/// The key of the plan for phones of a node.
pub(crate) fn phone_key(key: u64) -> u64 {
    key.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15
}
