//! Taking in what a snapshot holds: into a learner that knows nothing, which is restoring, or into one that does.
//!
//! The heaviest pages come first. What is new is added while there is room, then in the place of what is lighter;
//! what is known already is added up. Under another key no hash of the snapshot means anything: only what goes by
//! its name is taken, and networks cannot be told apart, so of two sets the larger one counts.

use std::collections::HashMap;

use crate::assets::{Asset, AssetId};
use crate::clock::Tick;
use crate::cursor::Cursor;
use crate::decay::{Epoch, MAX_WEIGHT};
use crate::learner::Learner;
use crate::model::{Model, Outside};
use crate::networks::Networks;
use crate::node::{Edge, Node};
use crate::record::{AssetRecord, Name, NodeRecord};
use crate::rename::stem;
use crate::site::Site;
use crate::snapshot::{ASSET, NODE};
use crate::sync::lock;

/// The records of a snapshot, each of them sound.
pub(crate) struct Records<'a> {
    /// The heaviest first.
    nodes: Vec<(f32, Cursor<'a>)>,
    assets: HashMap<u64, Candidate<'a>>,
}

/// An asset of a snapshot, which is taken in when a page that is taken in needs it.
struct Candidate<'a> {
    record: Cursor<'a>,
    /// What was known of it here has been joined with the record.
    joined: bool,
}

/// How the records of one snapshot are to be understood.
pub(crate) struct Context {
    /// The sites in the order of the snapshot; `None` for those without room.
    pub(crate) sites: Vec<Option<Site>>,
    /// Whether the hashes in it are under the key of this learner.
    pub(crate) same_key: bool,
    /// The learner's time at which it was taken.
    pub(crate) taken: Tick,
    /// The landmark of the sums that are made of its weights, and the factor to them.
    pub(crate) epoch: Epoch,
    pub(crate) scale: f32,
    /// The largest weight that a sum may have.
    pub(crate) cap: f32,
}

/// What became of a snapshot that was merged; all counts are of pages, templates and sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// Whether the snapshot was under the learner's key.
    pub same_key: bool,
    /// Taken in.
    pub taken: usize,
    /// Left out, as they are hidden under another key: below the network gate there are no names.
    pub hidden: usize,
    /// Left out, as there was no room for them, or for their site.
    pub refused: usize,
}

impl<'a> Records<'a> {
    /// `None` if any of them is malformed: then nothing has been taken in yet.
    pub(crate) fn read(mut cursor: Cursor<'a>, sites: usize) -> Option<Self> {
        let mut records = Records { nodes: Vec::new(), assets: HashMap::new() };
        while !cursor.is_empty() {
            let (tag, length) = (cursor.u8()?, cursor.u32()?);
            let record = Cursor(cursor.take(usize::try_from(length).ok()?)?);
            match tag {
                ASSET => {
                    let asset = AssetRecord::read(record).filter(|asset| usize::from(asset.site) < sites)?;
                    records.assets.insert(asset.hash, Candidate { record, joined: false });
                }
                NODE => {
                    let node = NodeRecord::read(record).filter(|node| usize::from(node.site) < sites)?;
                    records.nodes.push((node.weight, record));
                }
                _ => return None,
            }
        }
        records.nodes.sort_by(|a, b| b.0.total_cmp(&a.0));
        Some(records)
    }
}

impl Learner {
    /// Takes in the records. O(n log n); learning waits for one page at a time.
    pub(crate) fn join(&self, records: Records<'_>, context: &Context) -> Merged {
        let Records { nodes, mut assets } = records;
        let mut merged = Merged { same_key: context.same_key, ..Merged::default() };
        for (_, record) in nodes {
            let Some(node) = NodeRecord::read(record) else { continue };
            let place = match context.sites.get(usize::from(node.site)) {
                Some(Some(site)) => lock(&self.model).join(&node, *site, &mut assets, context, &self.outside()),
                _ => Place::Refused,
            };
            match place {
                Place::Taken => merged.taken += 1,
                Place::Hidden => merged.hidden += 1,
                Place::Refused => merged.refused += 1,
            }
        }
        merged
    }
}

enum Place {
    Taken,
    Hidden,
    Refused,
}

impl Model {
    fn join(
        &mut self,
        record: &NodeRecord<'_>,
        site: Site,
        assets: &mut HashMap<u64, Candidate<'_>>,
        context: &Context,
        outside: &Outside<'_>,
    ) -> Place {
        let key = match (record.name, context.same_key) {
            (_, true) => record.key,
            (Some(name), false) => record.level.key(outside.keys, site, name),
            (None, false) => return Place::Hidden,
        };
        let min_networks = self.limits.min_networks;
        let sum = |value: f32, cap: f32| (value * context.scale).min(cap);
        let mut node = Node::new(key, site.index, record.level, context.epoch, self.assets.fates);
        node.gone = record.gone;
        node.weight = sum(record.weight, context.cap);
        node.visits = record.visits;
        node.networks = kept(record.networks, context, min_networks);
        node.name = record.name.map(Into::into);
        let known = self.node(key, outside);
        if known.is_none() && !self.make_room(node.weight, context.epoch, outside) {
            return Place::Refused;
        }
        // A page that is gone has nothing to add.
        if known.is_some() && record.gone {
            return Place::Taken;
        }
        let max_edges = self.max_edges(record.level);
        let mut edges: Vec<Edge> = Vec::new();
        for edge in &record.edges {
            let Some(asset) = self.joined_asset(edge.asset, assets, context, outside) else { continue };
            let edge = Edge {
                asset,
                hits: sum(edge.hits, context.cap),
                mute: sum(edge.mute, context.cap),
                rank: sum(edge.rank, f32::MAX),
                networks: kept(edge.networks, context, min_networks),
            };
            if let Some(other) = edges.iter_mut().find(|other| other.asset == asset) {
                // Two names of one asset.
                other.absorb(&edge);
                other.cap(context.cap / MAX_WEIGHT);
            } else if edges.len() < max_edges {
                self.assets.retain(asset);
                edges.push(edge);
            } else {
                self.assets.sweep(asset, outside.directory);
            }
        }
        if let Some(id) = known {
            if !context.same_key {
                self.keep_the_larger(id, &mut node, &mut edges);
            }
            self.absorb(id, &node, &edges, context.cap / MAX_WEIGHT, outside);
            for edge in &edges {
                self.assets.release(edge.asset, outside.directory);
            }
        } else {
            edges.shrink_to_fit();
            node.edges = edges;
            let id = self.insert(node);
            self.shrink(id, outside);
        }
        Place::Taken
    }

    /// Whether one of this weight may come: there is room, or something lighter was let go.
    fn make_room(&mut self, weight: f32, epoch: Epoch, outside: &Outside<'_>) -> bool {
        while self.is_full() {
            let lightest = self.sample_lightest(None, epoch);
            let Some((victim, _)) = lightest.filter(|(_, lightest)| *lightest < weight) else { return false };
            self.evict(victim, outside);
        }
        true
    }

    /// Where two keys have counted networks, those of the larger number stay: the same ones may be in both.
    fn keep_the_larger(&mut self, id: u32, theirs: &mut Node, edges: &mut [Edge]) {
        let Some(ours) = self.nodes.get_mut(id) else { return };
        larger(&mut ours.networks, &mut theirs.networks);
        for edge in edges {
            if let Some(known) = ours.edges.iter_mut().find(|known| known.asset == edge.asset) {
                larger(&mut known.networks, &mut edge.networks);
            }
        }
    }

    /// The asset with this hash in the snapshot, added if it is new here; `None` if it is hidden under another key,
    /// or there is no room.
    fn joined_asset(
        &mut self,
        hash: u64,
        assets: &mut HashMap<u64, Candidate<'_>>,
        context: &Context,
        outside: &Outside<'_>,
    ) -> Option<AssetId> {
        let candidate = assets.get_mut(&hash)?;
        if context.same_key
            && candidate.joined
            && let Some(id) = self.assets.find(hash)
        {
            return Some(id);
        }
        let record = AssetRecord::read(candidate.record)?;
        let site = (*context.sites.get(usize::from(record.site))?)?;
        let (hash, stem) = match record.name {
            Name::Hidden { .. } if !context.same_key => return None,
            Name::Hidden { stem } => (hash, stem),
            Name::Shown { path, .. } => {
                (outside.keys.path(site, path), stem(path).map_or(0, |stem| outside.keys.stem(site.salt, &stem)))
            }
        };
        let seconds = u32::try_from(context.taken.0 / 1000).unwrap_or(u32::MAX);
        let mut asset = Asset::new(hash, stem, site.index, seconds.saturating_sub(record.first));
        asset.last = seconds.saturating_sub(record.last);
        asset.networks = kept(record.networks, context, self.limits.min_networks);
        asset.crowded = record.crowded;
        let joined = std::mem::replace(&mut candidate.joined, true);
        let (id, newer) = match self.assets.find(hash) {
            Some(id) if joined => return Some(id),
            Some(id) => {
                let networks = self.assets.get(id).map(|known| known.networks);
                if !context.same_key
                    && let Some(mut ours) = networks
                {
                    larger(&mut ours, &mut asset.networks);
                    self.assets.set_networks(id, ours);
                }
                (id, self.assets.join(id, &asset))
            }
            None => match self.assets.heir(&asset, self.limits.min_networks) {
                Some(heir) => return Some(heir),
                None => (self.assets.add(asset)?, true),
            },
        };
        if let Name::Shown { path, metadata } = record.name {
            self.assets.show(id, path, metadata, outside.directory);
            if newer {
                outside.directory.describe(hash, metadata);
            }
        }
        self.assets.follow_rename(id, self.limits.min_networks, outside.directory);
        Some(id)
    }
}

/// The networks of a snapshot. Under another key the same network may set another
/// bit, so what has not passed the gate starts anew.
fn kept(networks: Networks, context: &Context, min_networks: u32) -> Networks {
    if context.same_key || networks.at_least() >= min_networks { networks } else { Networks::default() }
}

/// Empties the smaller one.
fn larger(ours: &mut Networks, theirs: &mut Networks) {
    let smaller = if theirs.at_least() > ours.at_least() { ours } else { theirs };
    *smaller = Networks::default();
}
