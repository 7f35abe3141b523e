//! Taking in what a snapshot holds: into a model that knows nothing, which is restoring, or into one that does.
//!
//! The heaviest pages come first. What is new is added while there is room, then in the place of what is lighter;
//! what is known already is added up. Under another key no hash of the snapshot means anything: only what goes by
//! its name is taken, and networks cannot be told apart, so a set counts only where there is no sufficient one.

use std::collections::HashMap;

use crate::assets::{Asset, AssetId};
use crate::clock::Tick;
use crate::cursor::Cursor;
use crate::edge::Edge;
use crate::model::Model;
use crate::networks::Networks;
use crate::node::Node;
use crate::page_reasons::{self, ReasonTable};
use crate::record::{ASSET, AssetRecord, NODE, Name, NodeRecord, REASONS};
use crate::rename::stem;
use crate::site::Site;
use crate::timeline::Timeline;
use crate::witnesses::seconds;

/// The records of a snapshot, each of them sound.
pub(crate) struct Records<'a> {
    /// The heaviest first.
    nodes: Vec<(u32, Cursor<'a>)>,
    assets: HashMap<u64, Candidate<'a>>,
    /// Why pages taught nothing.
    reasons: Vec<Cursor<'a>>,
}

/// An asset of a snapshot, which is taken in when a page that is taken in needs it.
struct Candidate<'a> {
    record: Cursor<'a>,
    /// Whether the record has been joined with one of ours.
    joined: bool,
}

/// How the records of one snapshot are to be understood.
pub(crate) struct Context {
    /// The sites in the order of the snapshot; `None` for those without room.
    pub(crate) sites: Vec<Option<Site>>,
    /// Whether the hashes in it are under the key of this learner.
    pub(crate) same_key: bool,
    /// Whether its sums decay as those of this learner.
    pub(crate) same_half_life: bool,
    pub(crate) min_networks: u32,
    pub(crate) now: Tick,
}

/// The result of merging a snapshot; all counts are of pages, templates and sections.
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
        let mut records = Records { nodes: Vec::new(), assets: HashMap::new(), reasons: Vec::new() };
        while !cursor.is_empty() {
            let (tag, length) = (cursor.u8()?, cursor.u32()?);
            let record = Cursor(cursor.take(usize::try_from(length).ok()?)?);
            match tag {
                ASSET => {
                    let asset = AssetRecord::read(record).filter(|asset| usize::from(asset.site) < sites)?;
                    records.assets.insert(asset.hash, Candidate { record, joined: false });
                }
                NODE => {
                    let read = NodeRecord::read(record).filter(|read| usize::from(read.node.site) < sites)?;
                    records.nodes.push((read.node.count, record));
                }
                REASONS => {
                    page_reasons::read(record)?;
                    records.reasons.push(record);
                }
                _ => return None,
            }
        }
        records.nodes.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        Some(records)
    }

    /// For each site of the snapshot, how many networks one of its pages is known to, and when the last visit was, in seconds.
    /// Under another key names alone say so. O(nodes).
    pub(crate) fn standings(&self, sites: usize, same_key: bool, min_networks: u32) -> Vec<(u32, u32)> {
        let mut standings = vec![(0, 0); sites];
        for (_, record) in &self.nodes {
            let Some(read) = NodeRecord::read(*record) else { continue };
            let networks = match read.name {
                _ if same_key => read.node.networks.at_least(),
                Some(_) => read.node.networks.at_least().min(min_networks),
                None => 0,
            };
            if let Some(standing) = standings.get_mut(usize::from(read.node.site))
                && read.node.level.is_page()
            {
                *standing = (standing.0.max(networks), standing.1.max(read.node.last));
            }
        }
        standings
    }

    /// Adds up why pages taught nothing.
    pub(crate) fn take_reasons(&self, table: &mut ReasonTable) {
        for record in &self.reasons {
            // All of them have been read before.
            let _ = table.add_record(*record);
        }
    }

    /// Takes in the records, with the model in hand for one of them, and its site, at a time. O(n log n).
    pub(crate) fn take_in(self, context: &Context, mut with: impl FnMut(Site, &mut dyn FnMut(&mut Model))) -> Merged {
        let Records { nodes, mut assets, .. } = self;
        let mut merged = Merged { same_key: context.same_key, ..Merged::default() };
        for (_, record) in nodes {
            let Some(mut read) = NodeRecord::read(record) else { continue };
            let site = context.sites.get(usize::from(read.node.site)).copied().flatten();
            let Some(site) = site else {
                merged.refused += 1;
                continue;
            };
            with(site, &mut |model| match take_node(model, &mut read, site, &mut assets, context) {
                Place::Taken => merged.taken += 1,
                Place::Hidden => merged.hidden += 1,
                Place::Refused => merged.refused += 1,
            });
        }
        merged
    }
}

enum Place {
    Taken,
    Hidden,
    Refused,
}

fn take_node(
    model: &mut Model,
    read: &mut NodeRecord<'_>,
    site: Site,
    assets: &mut HashMap<u64, Candidate<'_>>,
    context: &Context,
) -> Place {
    let record = &read.node;
    let key = match (read.name, context.same_key) {
        (_, true) => record.key,
        (Some(name), false) => record.level.key(model.keys(), site, name),
        (None, false) => return Place::Hidden,
    };
    let min_networks = model.min_networks();
    let mut node = Node { key, site: site.index, fates: model.assets().fates, ..record.clone() };
    node.networks = kept(record.networks, context, min_networks);
    node.name = read.name.map(Into::into);
    node.last = node.last.min(seconds(context.now));
    let same_sums = context.same_half_life && node.epoch <= model.decay().epoch(context.now);
    if !same_sums {
        // Sums that decay otherwise say nothing here; the witnesses do.
        node.epoch = 0;
        node.visits = Timeline::default();
    }
    let known = model.nodes().find(key);
    if known.is_none() && !model.make_room(&node, context.now) {
        return Place::Refused;
    }
    let mut edges: Vec<Edge> = Vec::new();
    for (hash, edge) in &read.edges {
        let Some(asset) = take_asset(model, *hash, assets, context) else { continue };
        let sum = |sum: u32| if same_sums { sum } else { 0 };
        let networks = kept(edge.networks, context, min_networks);
        let edge = Edge { asset, networks, hits: sum(edge.hits), mute: sum(edge.mute), ..*edge };
        if let Some(other) = edges.iter_mut().find(|other| other.asset == asset) {
            // Two names of one asset.
            other.absorb(&edge);
            other.fetched_by |= edge.fetched_by;
            other.muted_by &= edge.muted_by;
        } else {
            model.assets_mut().retain(asset);
            edges.push(edge);
        }
    }
    edges.shrink_to_fit();
    node.edges = edges;
    // Making room for the assets may have cost it its place.
    let Some(id) = known.filter(|id| model.nodes().get(*id).is_some_and(|node| node.key == key)) else {
        // Its edges keep the assets from now on.
        model.insert(node, context.now);
        return Place::Taken;
    };
    if !context.same_key {
        keep_one_set(model, id, &mut node);
    }
    model.absorb(id, &node, context.now);
    for edge in &node.edges {
        model.assets_mut().release(edge.asset);
    }
    Place::Taken
}

/// Where two keys have counted networks, only those here stay if they suffice.
fn keep_one_set(model: &Model, id: u32, theirs: &mut Node) {
    let Some(ours) = model.nodes().get(id) else { return };
    let min_networks = model.min_networks();
    one_set(ours.networks, &mut theirs.networks, min_networks);
    for edge in &mut theirs.edges {
        if let Some(known) = ours.edges.iter().find(|known| known.asset == edge.asset) {
            one_set(known.networks, &mut edge.networks, min_networks);
        }
    }
}

/// The asset with this hash in the snapshot, added if it is new here; `None` if it is hidden under another key,
/// or there is no room.
fn take_asset(
    model: &mut Model,
    hash: u64,
    assets: &mut HashMap<u64, Candidate<'_>>,
    context: &Context,
) -> Option<AssetId> {
    let candidate = assets.get_mut(&hash)?;
    if context.same_key
        && candidate.joined
        && let Some(id) = model.assets().find(hash)
    {
        return Some(id);
    }
    let record = AssetRecord::read(candidate.record)?;
    let site = (*context.sites.get(usize::from(record.site))?)?;
    let (hash, stem) = match record.name {
        Name::Hidden { .. } if !context.same_key => return None,
        Name::Hidden { stem } => (hash, stem),
        Name::Shown { path, .. } => {
            let keys = model.keys();
            (keys.path(site, path), stem(path).map_or(0, |stem| keys.stem(site.salt, &stem)))
        }
    };
    let now = seconds(context.now);
    let mut asset = Asset::new(hash, stem, site.index, record.first.min(now));
    asset.last = record.last.min(now);
    asset.networks = kept(record.networks, context, model.min_networks());
    asset.crowded = record.crowded;
    asset.personal = record.personal;
    if context.same_key {
        asset.tombstone = record.tombstone;
    }
    let joined = std::mem::replace(&mut candidate.joined, true);
    let table = model.assets_mut();
    let (id, newer) = match table.find(hash) {
        Some(id) if joined => return Some(id),
        Some(id) => {
            if !context.same_key
                && let Some(known) = table.get(id)
            {
                one_set(known.networks, &mut asset.networks, context.min_networks);
            }
            (id, table.join(id, &asset))
        }
        None => match table.heir(&asset) {
            Some(heir) => return Some(heir),
            None => (table.add(asset)?, true),
        },
    };
    if let Name::Shown { path, metadata } = record.name {
        table.show(id, path, metadata);
        if newer {
            table.describe(hash, metadata);
        }
    }
    table.reconsider(id);
    table.follow_rename(id);
    Some(id)
}

/// The networks of a snapshot. Under another key the same network may set another
/// bit, so what has not passed the gate starts from none.
fn kept(networks: Networks, context: &Context, min_networks: u32) -> Networks {
    if context.same_key || networks.at_least() >= min_networks { networks } else { Networks::default() }
}

/// Empties theirs if ours has passed the gate: the same networks may be in both.
fn one_set(ours: Networks, theirs: &mut Networks, min_networks: u32) {
    if ours.at_least() >= min_networks {
        *theirs = Networks::default();
    }
}
