//! What was learned lately, in a form that machines can add up.
//!
//! Sums are whole numbers, so that merging is exactly commutative and associative.
//! Evidence lies in buckets of one half-life, aligned to the caller's epoch, and is
//! weighed within its bucket; a bucket is aged as a whole when it is taken in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::level::Level;
use crate::networks::Networks;
use crate::visit::Metadata;

/// What one or more learners have learned since they last gave a delta.
///
/// Merging is commutative, associative, and has [`Delta::default`] as its neutral element.
/// It is not idempotent: evidence merged twice counts twice. Names are in it only
/// if they had passed the network gate of the learner that gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub(crate) sites: BTreeMap<u64, Box<str>>,
    pub(crate) nodes: BTreeMap<NodeKey, NodeDelta>,
    pub(crate) assets: BTreeMap<u64, AssetDelta>,
}

/// A node in one bucket of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeKey {
    pub(crate) key: u64,
    /// Half-lives since the caller's epoch.
    pub(crate) bucket: u64,
}

/// A weight of one visit at the start of its bucket.
pub(crate) const UNIT: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodeDelta {
    /// Salt of the site.
    pub(crate) site: u64,
    pub(crate) level: Level,
    pub(crate) name: Option<Box<str>>,
    pub(crate) weight: u64,
    pub(crate) think: u64,
    pub(crate) visits: u32,
    pub(crate) networks: Networks,
    pub(crate) edges: BTreeMap<u64, EdgeDelta>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EdgeDelta {
    pub(crate) hits: u64,
    pub(crate) mute: u64,
    pub(crate) rank: u64,
    pub(crate) networks: Networks,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AssetDelta {
    pub(crate) site: u64,
    pub(crate) stem: u64,
    pub(crate) networks: Networks,
    pub(crate) shown: Option<Described>,
}

/// An asset past the gate, and when it was last seen by the caller's clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Described {
    pub(crate) seen: u64,
    pub(crate) path: Box<str>,
    pub(crate) metadata: Metadata,
}

impl Delta {
    /// Adds what another delta holds. O(n log n).
    pub fn merge(&mut self, other: &Self) {
        for (salt, authority) in &other.sites {
            self.sites.entry(*salt).or_insert_with(|| authority.clone());
        }
        for (key, node) in &other.nodes {
            match self.nodes.entry(*key) {
                Entry::Vacant(place) => {
                    place.insert(node.clone());
                }
                Entry::Occupied(mut place) => place.get_mut().merge(node),
            }
        }
        for (hash, asset) in &other.assets {
            match self.assets.entry(*hash) {
                Entry::Vacant(place) => {
                    place.insert(asset.clone());
                }
                Entry::Occupied(mut place) => place.get_mut().merge(asset),
            }
        }
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Number of nodes and edges in it, its size to within a constant factor.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.nodes.values().map(|node| node.edges.len()).sum::<usize>()
    }
}

impl NodeDelta {
    fn merge(&mut self, other: &Self) {
        // Both hold the same name if both hold one.
        self.name = self.name.take().max(other.name.clone());
        self.weight = self.weight.saturating_add(other.weight);
        self.think = self.think.saturating_add(other.think);
        self.visits = self.visits.saturating_add(other.visits);
        self.networks.merge(other.networks);
        for (hash, edge) in &other.edges {
            self.edges.entry(*hash).or_default().merge(edge);
        }
    }
}

impl EdgeDelta {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.mute = self.mute.saturating_add(other.mute);
        self.rank = self.rank.saturating_add(other.rank);
        self.networks.merge(other.networks);
    }
}

impl AssetDelta {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.networks.merge(other.networks);
        self.shown = self.shown.take().max(other.shown.clone());
    }
}
