//! All pages, templates and sections, and who gives way when there is no room.
//!
//! Not the least recently used gives way: a flood of new names would then wash out what is in
//! use. The lightest of a few taken at random goes, which is nearly the lightest of all.

use crate::clock::Tick;
use crate::decay::Decay;
use crate::keymap::KeyMap;
use crate::node::Node;
use crate::slab::Slab;

/// How many nodes are compared.
const SAMPLE: usize = 16;

/// How many table places are looked at for them.
const PROBES: usize = 256;

/// Most bytes that a node costs with its place in the map.
pub(crate) const NODE_BYTES: usize = size_of::<Option<Node>>() + 2 * 17;

/// The table of nodes.
#[derive(Debug)]
pub(crate) struct Nodes {
    table: Slab<Node>,
    by_key: KeyMap,
    /// Bytes of heap that hang from the nodes.
    heap: usize,
    max: usize,
    /// State of a xorshift generator; never zero.
    random: u64,
    evicted: u64,
}

impl Nodes {
    /// A table of at most `max` nodes.
    pub(crate) fn new(max: usize, seed: u64) -> Self {
        Self { table: Slab::new(), by_key: KeyMap::new(seed), heap: 0, max, random: seed | 1, evicted: 0 }
    }

    pub(crate) fn find(&self, key: u64) -> Option<u32> {
        self.by_key.get(key)
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Node> {
        self.table.get(id)
    }

    /// Changes a node, and keeps account of its bytes.
    pub(crate) fn update<T>(&mut self, id: u32, change: impl FnOnce(&mut Node) -> T) -> Option<T> {
        let node = self.table.get_mut(id)?;
        let before = node.bytes();
        let result = change(node);
        self.heap = self.heap + node.bytes() - before;
        Some(result)
    }

    /// Adds a node as it is. The caller has made sure of room.
    pub(crate) fn insert(&mut self, node: Node) -> u32 {
        let key = node.key;
        self.heap += node.bytes();
        let id = self.table.insert(node);
        self.by_key.insert(key, id);
        id
    }

    /// Takes a node out. What its edges point to is for the caller to release.
    pub(crate) fn evict(&mut self, id: u32) -> Option<Node> {
        let node = self.table.remove(id)?;
        self.by_key.remove(node.key);
        self.heap -= node.bytes();
        self.evicted += 1;
        Some(node)
    }

    /// The numbers of the nodes of a site. O(nodes).
    pub(crate) fn of_site(&self, site: u16) -> Vec<u32> {
        self.table.iter().filter(|(_, node)| node.site == site).map(|(id, _)| id).collect()
    }

    /// Whether there are as many as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.table.len() >= self.max
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.table.iter().map(|(_, node)| node)
    }

    /// One past the highest number ever given out.
    pub(crate) fn end(&self) -> u32 {
        self.table.end()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Nodes that gave way to others.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes of heap.
    pub(crate) fn bytes(&self) -> usize {
        self.table.bytes() + self.by_key.bytes() + self.heap
    }

    /// The lightest of sixteen nodes taken at random, with its weight as of `tick`.
    pub(crate) fn sample_lightest(&mut self, spare: Option<u32>, decay: Decay, tick: Tick) -> Option<(u32, f32)> {
        let end = u64::from(self.table.end().max(1));
        let mut lightest: Option<(u32, f32)> = None;
        let mut found = 0;
        for _ in 0..PROBES {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let id = ((u128::from(self.random) * u128::from(end)) >> 64) as u32;
            let Some(node) = self.table.get(id).filter(|_| Some(id) != spare) else { continue };
            let weight = weight(node, decay, tick);
            if lightest.is_none_or(|(_, least)| weight < least) {
                lightest = Some((id, weight));
            }
            found += 1;
            if found == SAMPLE {
                break;
            }
        }
        lightest
    }
}

/// The weight of a node against others: its decayed visits, or half of those that it remembers, which fade slowly.
pub(crate) fn weight(node: &Node, decay: Decay, tick: Tick) -> f32 {
    let age = tick.0.saturating_sub(u64::from(node.last) * 1000);
    let fading = 1.0 / (1.0 + age as f32 / decay.half_life().saturating_mul(30) as f32);
    let remembered = node.witnesses.len() as f32 / 2.0 * fading;
    (node.visits.total() as f32 * decay.scale(node.epoch, tick)).max(remembered)
}
