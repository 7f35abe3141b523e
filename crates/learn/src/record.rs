//! How one asset and one node are written to a snapshot and read from it.

use crate::asset::Freshness;
use crate::assets::{Asset, AssetId};
use crate::cursor::Cursor;
use crate::destination::Destination;
use crate::edge::{Edge, Manner, Order};
use crate::level::Level;
use crate::metadata::Metadata;
use crate::networks::Networks;
use crate::node::Node;
use crate::timeline::Timeline;
use crate::tombstone::Tombstone;
use crate::visit::MAX_PATH;
use crate::witnesses::{Witness, Witnesses};

pub(crate) const ASSET: u8 = 1;
pub(crate) const NODE: u8 = 2;
pub(crate) const REASONS: u8 = 3;

const CROWDED: u8 = 1;
const SHOWN: u8 = 2;
const CORS: u8 = 4;
const IMMUTABLE: u8 = 8;
const FRESH: u8 = 16;
const PERSONAL: u8 = 32;

const NAMED: u8 = 2;
const QUERIED: u8 = 4;
const FULL: u8 = 8;

/// Most blocks of a timeline that are read.
const MAX_BLOCKS: u16 = 1024;

impl Asset {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let metadata = self.shown.as_ref().and_then(|shown| shown.metadata());
        let shown = self.shown.as_ref().zip(metadata);
        let known = metadata.unwrap_or_default();
        out.extend(self.hash.to_le_bytes());
        out.extend(self.site.to_le_bytes());
        out.extend(self.networks.bits().to_le_bytes());
        out.extend(self.first.to_le_bytes());
        out.extend(self.last.to_le_bytes());
        write_tombstone(self.tombstone, out);
        out.push(
            flag(self.crowded, CROWDED)
                | flag(shown.is_some(), SHOWN)
                | flag(known.cors, CORS)
                | flag(known.freshness != Freshness::Stale, FRESH)
                | flag(known.freshness == Freshness::Immutable, IMMUTABLE)
                | flag(self.personal, PERSONAL),
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
    /// Writes the node; `hash` names assets, and edges of assets without a name are left out.
    pub(crate) fn write(&self, hash: impl Fn(AssetId) -> Option<u64>, out: &mut Vec<u8>) {
        out.extend(self.key.to_le_bytes());
        out.extend(self.site.to_le_bytes());
        out.push(self.level.code());
        out.push(
            flag(self.name.is_some(), NAMED)
                | flag(self.queried, QUERIED)
                | flag(self.full, FULL)
                | flag(self.personal, PERSONAL),
        );
        out.extend(self.epoch.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(self.first.to_le_bytes());
        out.extend(self.last.to_le_bytes());
        out.extend(self.networks.bits().to_le_bytes());
        write_tombstone(self.tombstone, out);
        let visits = &self.visits;
        out.extend(visits.newest().to_le_bytes());
        out.extend((visits.blocks().len() as u16).to_le_bytes());
        for (start, weight) in visits.blocks() {
            out.extend(start.to_le_bytes());
            out.extend(weight.to_le_bytes());
        }
        out.push(self.witnesses.len() as u8);
        for witness in self.witnesses.iter() {
            out.extend(witness.bits().to_le_bytes());
        }
        let mut edges: Vec<(u64, &Edge)> =
            self.edges.iter().filter_map(|edge| Some((hash(edge.asset)?, edge))).collect();
        edges.sort_unstable_by_key(|(hash, _)| *hash);
        out.extend((edges.len() as u16).to_le_bytes());
        for (hash, edge) in edges {
            out.extend(hash.to_le_bytes());
            for word in [edge.birth, edge.hits, edge.mute, edge.networks.bits(), edge.fetched_by, edge.muted_by] {
                out.extend(word.to_le_bytes());
            }
            out.extend(edge.order.bits().to_le_bytes());
            out.extend(edge.manner.bits().to_le_bytes());
        }
        if let Some(name) = &self.name {
            put_text(out, name);
        }
    }
}

/// An asset as a snapshot has it.
pub(crate) struct AssetRecord<'a> {
    pub(crate) hash: u64,
    pub(crate) site: u16,
    pub(crate) networks: Networks,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) tombstone: Tombstone,
    pub(crate) crowded: bool,
    pub(crate) personal: bool,
    pub(crate) name: Name<'a>,
}

/// The name of an asset in a record, which depends on whether it has passed the network gate.
pub(crate) enum Name<'a> {
    Hidden { stem: u64 },
    Shown { path: &'a str, metadata: Metadata },
}

impl<'a> AssetRecord<'a> {
    /// `None` if it is malformed.
    pub(crate) fn read(mut record: Cursor<'a>) -> Option<Self> {
        let (hash, site) = (record.u64()?, record.u16()?);
        let networks = Networks::from_bits(record.u32()?);
        let (first, last) = (record.u32()?, record.u32()?);
        let tombstone = read_tombstone(&mut record)?;
        let flags = record.u8()?;
        let personal = flags & PERSONAL != 0;
        let name = if flags & SHOWN == 0 {
            Name::Hidden { stem: record.u64()? }
        } else {
            let metadata = Metadata {
                destination: Destination::from_code(record.u8()?)?,
                bytes: record.u64()?,
                validator: record.u64()?,
                cors: flags & CORS != 0,
                personal,
                freshness: match (flags & IMMUTABLE, flags & FRESH) {
                    (0, 0) => Freshness::Stale,
                    (0, _) => Freshness::Fresh,
                    _ => Freshness::Immutable,
                },
            };
            Name::Shown { path: record.text(MAX_PATH)?, metadata }
        };
        Some(Self { hash, site, networks, first, last, tombstone, crowded: flags & CROWDED != 0, personal, name })
    }
}

/// A node as a snapshot has it: without its name and its edges, which are beside it, the edges with the
/// hashes of their assets.
pub(crate) struct NodeRecord<'a> {
    pub(crate) node: Node,
    pub(crate) edges: Vec<(u64, Edge)>,
    pub(crate) name: Option<&'a str>,
}

impl<'a> NodeRecord<'a> {
    /// `None` if it is malformed.
    pub(crate) fn read(mut record: Cursor<'a>) -> Option<Self> {
        let (key, site, level) = (record.u64()?, record.u16()?, Level::from_code(record.u8()?)?);
        let flags = record.u8()?;
        let mut node = Node::new(key, site, level, record.u32()?, 0);
        node.queried = flags & QUERIED != 0;
        node.full = flags & FULL != 0;
        node.personal = flags & PERSONAL != 0;
        node.count = record.u32()?;
        node.first = record.u32()?;
        node.last = record.u32()?;
        node.networks = Networks::from_bits(record.u32()?);
        node.tombstone = read_tombstone(&mut record)?;
        let (newest, blocks) = (record.u32()?, record.u16()?);
        if blocks > MAX_BLOCKS {
            return None;
        }
        let mut timeline = Vec::with_capacity(usize::from(blocks));
        for _ in 0..blocks {
            timeline.push((record.u32()?, record.u32()?));
        }
        node.visits = Timeline::from_blocks(newest, timeline);
        // A witness that does not fit has no bit, nor have those after it: what a sound snapshot never has.
        let mut witnesses = Witnesses::default();
        for _ in 0..record.u8()? {
            witnesses.add(Witness::from_bits(record.u64()?), !node.level.is_page())?;
        }
        node.witnesses = witnesses;
        let mut edges = Vec::new();
        for _ in 0..record.u16()? {
            let hash = record.u64()?;
            let mut edge = Edge::new(0, record.u32()?);
            edge.hits = record.u32()?;
            edge.mute = record.u32()?;
            edge.networks = Networks::from_bits(record.u32()?);
            edge.fetched_by = record.u32()?;
            edge.muted_by = record.u32()?;
            edge.order = Order::from_bits(record.u32()?);
            edge.manner = Manner::from_bits(record.u32()?);
            edges.push((hash, edge));
        }
        let name = if flags & NAMED == 0 { None } else { Some(record.text(MAX_PATH + 16)?) };
        Some(Self { node, edges, name })
    }
}

/// A text of less than 64 KiB with its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
}

fn write_tombstone(tombstone: Tombstone, out: &mut Vec<u8>) {
    for (second, tag) in tombstone.told() {
        out.extend(second.to_le_bytes());
        out.extend(tag.to_le_bytes());
    }
}

fn read_tombstone(record: &mut Cursor<'_>) -> Option<Tombstone> {
    let told = [(record.u32()?, record.u16()?), (record.u32()?, record.u16()?)];
    Some(Tombstone::new(told))
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}
