//! How one asset and one node are written to a snapshot and read from it.

use crate::assets::Asset;
use crate::cursor::Cursor;
use crate::decay::MAX_WEIGHT;
use crate::destination::Destination;
use crate::level::Level;
use crate::model::{Model, Outside};
use crate::networks::Networks;
use crate::node::{Edge, Node};
use crate::observation::Freshness;
use crate::rename::stem;
use crate::restore::Context;
use crate::snapshot::{CORS, CROWDED, FRESH, GONE, IMMUTABLE, NAMED, SHOWN, put_text};
use crate::visit::{MAX_PATH, Metadata};

/// No sum of ranks or think times is larger, relative to the weight.
const MAX_SUM: f32 = MAX_WEIGHT * 1e9;

impl Asset {
    /// Writes the asset as of `seconds` of learner's time.
    pub(crate) fn write(&self, seconds: u32, out: &mut Vec<u8>) {
        let metadata = self.shown.as_ref().and_then(|shown| shown.metadata());
        let shown = self.shown.as_ref().zip(metadata);
        let known = metadata.unwrap_or_default();
        out.extend(self.hash.to_le_bytes());
        out.extend(self.site.to_le_bytes());
        out.extend(self.networks.bits().to_le_bytes());
        out.extend(seconds.saturating_sub(self.first).to_le_bytes());
        out.extend(seconds.saturating_sub(self.last).to_le_bytes());
        out.push(
            flag(self.crowded, CROWDED)
                | flag(shown.is_some(), SHOWN)
                | flag(known.cors, CORS)
                | flag(known.freshness != Freshness::Stale, FRESH)
                | flag(known.freshness == Freshness::Immutable, IMMUTABLE),
        );
        match shown {
            Some((shown, metadata)) => {
                out.push(metadata.destination as u8);
                out.extend(metadata.bytes.to_le_bytes());
                out.extend(metadata.validator.to_le_bytes());
                put_text(out, &shown.path);
            }
            None => out.extend(self.stem.to_le_bytes()),
        }
    }
}

impl Node {
    /// Writes the node with its sums multiplied by `scale`; `hash` names assets.
    pub(crate) fn write(&self, scale: f32, hash: impl Fn(u32) -> u64, out: &mut Vec<u8>) {
        out.extend(self.key.to_le_bytes());
        out.extend(self.site.to_le_bytes());
        out.push(self.level.code());
        out.push(flag(self.gone, GONE) | flag(self.name.is_some(), NAMED));
        out.extend((self.weight * scale).to_le_bytes());
        out.extend((self.think * scale).to_le_bytes());
        out.extend(self.visits.to_le_bytes());
        out.extend(self.networks.bits().to_le_bytes());
        out.extend((self.edges.len() as u16).to_le_bytes());
        for edge in &self.edges {
            out.extend(hash(edge.asset).to_le_bytes());
            out.extend((edge.hits * scale).to_le_bytes());
            out.extend((edge.mute * scale).to_le_bytes());
            out.extend((edge.rank * scale).to_le_bytes());
            out.extend(edge.networks.bits().to_le_bytes());
        }
        if let Some(name) = &self.name {
            put_text(out, name);
        }
    }
}

/// The weight of a node record, without reading the rest.
pub(crate) fn weight_of(mut record: Cursor<'_>) -> Option<f32> {
    record.take(8 + 2 + 1 + 1)?;
    record.weight(MAX_WEIGHT)
}

impl Model {
    /// Reads an asset. `None` if the record is malformed; an asset without room or
    /// hidden under another key is passed over.
    pub(crate) fn read_asset(
        &mut self,
        record: &mut Cursor<'_>,
        context: &mut Context,
        outside: &Outside<'_>,
    ) -> Option<()> {
        let (hash, site_index, networks) = (record.u64()?, record.u16()?, record.u64()?);
        let (first, last, flags) = (record.u32()?, record.u32()?, record.u8()?);
        let site = *context.sites.get(usize::from(site_index))?;
        let seconds = u32::try_from(context.tick.0 / 1000).unwrap_or(u32::MAX);
        let networks = kept(networks, context, self.limits.min_networks);
        let asset = |hash, stem, site| {
            let mut asset = Asset::new(hash, stem, site, seconds.saturating_sub(first));
            asset.last = seconds.saturating_sub(last);
            asset.networks = networks;
            asset.crowded = flags & CROWDED != 0;
            asset
        };
        let id = if flags & SHOWN == 0 {
            let stem = record.u64()?;
            let Some(site) = site.filter(|_| context.same_key) else { return Some(()) };
            self.assets.add(asset(hash, stem, site.index))
        } else {
            let metadata = Metadata {
                destination: Destination::from_code(record.u8()?)?,
                bytes: record.u64()?,
                validator: record.u64()?,
                cors: flags & CORS != 0,
                freshness: match (flags & IMMUTABLE, flags & FRESH) {
                    (0, 0) => Freshness::Stale,
                    (0, _) => Freshness::Fresh,
                    _ => Freshness::Immutable,
                },
            };
            let path = record.text(MAX_PATH)?;
            let Some(site) = site else { return Some(()) };
            let own_hash = outside.keys.path(site, path);
            let stem = stem(path).map_or(0, |stem| outside.keys.stem(site.salt, &stem));
            let id = self.assets.add(asset(own_hash, stem, site.index));
            if let Some(id) = id {
                self.assets.show(id, path, metadata, outside.directory);
            }
            id
        };
        if let Some(id) = id {
            context.assets.insert(hash, id);
        }
        Some(())
    }

    /// Reads a node. `None` if the record is malformed; a node without room, or without
    /// a name under another key, is passed over.
    pub(crate) fn read_node(
        &mut self,
        record: &mut Cursor<'_>,
        context: &Context,
        outside: &Outside<'_>,
    ) -> Option<()> {
        let (key, site_index, level) = (record.u64()?, record.u16()?, Level::from_code(record.u8()?)?);
        let site = *context.sites.get(usize::from(site_index))?;
        let flags = record.u8()?;
        let min_networks = self.limits.min_networks;
        let epoch = self.decay.epoch(context.tick);
        let mut node = Node::new(key, site_index, level, epoch, self.assets.fates);
        node.gone = flags & GONE != 0;
        node.weight = record.weight(MAX_WEIGHT)?;
        node.think = record.weight(MAX_SUM)?;
        node.visits = record.u32()?;
        node.networks = kept(record.u64()?, context, min_networks);
        let max_edges = self.max_edges(level);
        for _ in 0..record.u16()? {
            let hash = record.u64()?;
            let edge = Edge {
                hits: record.weight(MAX_WEIGHT)?,
                mute: record.weight(MAX_WEIGHT)?,
                rank: record.weight(MAX_SUM)?,
                networks: kept(record.u64()?, context, min_networks),
                ..Edge::new(0)
            };
            let asset = context.assets.get(&hash).filter(|asset| node.place_of(**asset, 0).is_none());
            if let Some(asset) = asset.filter(|_| node.edges.len() < max_edges) {
                node.push(Edge { asset: *asset, ..edge });
            }
        }
        let name = if flags & NAMED == 0 { None } else { Some(record.text(MAX_PATH + 16)?) };
        let Some(site) = site else { return Some(()) };
        node.site = site.index;
        node.key = match (name, context.same_key) {
            (_, true) => key,
            (Some(name), false) => level.key(outside.keys, site, name),
            (None, false) => return Some(()),
        };
        node.name = name.map(Into::into);
        if self.is_full() || self.by_key.get(node.key).is_some() {
            return Some(());
        }
        node.edges.shrink_to_fit();
        for edge in &node.edges {
            self.assets.retain(edge.asset);
        }
        self.insert(node);
        Some(())
    }
}

/// The networks of a snapshot. Under another key the same network may set another
/// bit, so what has not passed the gate starts anew.
fn kept(bits: u64, context: &Context, min_networks: u32) -> Networks {
    let networks = Networks::from_bits(bits);
    if context.same_key || networks.at_least() >= min_networks { networks } else { Networks::default() }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}
