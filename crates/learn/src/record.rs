//! How one asset and one node are written to a snapshot and read from it.

use crate::asset::Freshness;
use crate::assets::Asset;
use crate::cursor::Cursor;
use crate::decay::MAX_WEIGHT;
use crate::destination::Destination;
use crate::level::Level;
use crate::metadata::Metadata;
use crate::networks::Networks;
use crate::node::Node;
use crate::snapshot::{CORS, CROWDED, FRESH, GONE, IMMUTABLE, NAMED, SHOWN, put_text};
use crate::visit::MAX_PATH;

/// No sum of ranks is larger, relative to the weight.
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

/// An asset as a snapshot has it.
pub(crate) struct AssetRecord<'a> {
    pub(crate) hash: u64,
    pub(crate) site: u16,
    pub(crate) networks: Networks,
    /// Seconds since the first and since the last fetch.
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) crowded: bool,
    pub(crate) name: Name<'a>,
}

/// What is told of an asset, which depends on whether it has passed the network gate.
pub(crate) enum Name<'a> {
    Hidden { stem: u64 },
    Shown { path: &'a str, metadata: Metadata },
}

impl<'a> AssetRecord<'a> {
    /// `None` if it is malformed.
    pub(crate) fn read(mut record: Cursor<'a>) -> Option<Self> {
        let (hash, site, networks) = (record.u64()?, record.u16()?, record.u64()?);
        let (first, last, flags) = (record.u32()?, record.u32()?, record.u8()?);
        let name = if flags & SHOWN == 0 {
            Name::Hidden { stem: record.u64()? }
        } else {
            let metadata = Metadata {
                destination: Destination::from_code(record.u8()?)?,
                bytes: record.u64()?,
                validator: record.u64()?,
                cors: flags & CORS != 0,
                personal: false,
                freshness: match (flags & IMMUTABLE, flags & FRESH) {
                    (0, 0) => Freshness::Stale,
                    (0, _) => Freshness::Fresh,
                    _ => Freshness::Immutable,
                },
            };
            Name::Shown { path: record.text(MAX_PATH)?, metadata }
        };
        let networks = Networks::from_bits(networks);
        Some(Self { hash, site, networks, first, last, crowded: flags & CROWDED != 0, name })
    }
}

/// A page, template or section as a snapshot has it, with weights as of its time.
pub(crate) struct NodeRecord<'a> {
    pub(crate) key: u64,
    pub(crate) site: u16,
    pub(crate) level: Level,
    pub(crate) gone: bool,
    pub(crate) weight: f32,
    pub(crate) visits: u32,
    pub(crate) networks: Networks,
    pub(crate) edges: Vec<EdgeRecord>,
    pub(crate) name: Option<&'a str>,
}

pub(crate) struct EdgeRecord {
    /// The hash of the asset.
    pub(crate) asset: u64,
    pub(crate) hits: f32,
    pub(crate) mute: f32,
    pub(crate) rank: f32,
    pub(crate) networks: Networks,
}

impl<'a> NodeRecord<'a> {
    /// `None` if it is malformed.
    pub(crate) fn read(mut record: Cursor<'a>) -> Option<Self> {
        let (key, site, level) = (record.u64()?, record.u16()?, Level::from_code(record.u8()?)?);
        let flags = record.u8()?;
        let weight = record.weight(MAX_WEIGHT)?;
        let (visits, networks) = (record.u32()?, Networks::from_bits(record.u64()?));
        let mut edges = Vec::new();
        for _ in 0..record.u16()? {
            edges.push(EdgeRecord {
                asset: record.u64()?,
                hits: record.weight(MAX_WEIGHT)?,
                mute: record.weight(MAX_WEIGHT)?,
                rank: record.weight(MAX_SUM)?,
                networks: Networks::from_bits(record.u64()?),
            });
        }
        let name = if flags & NAMED == 0 { None } else { Some(record.text(MAX_PATH + 16)?) };
        Some(Self { key, site, level, gone: flags & GONE != 0, weight, visits, networks, edges, name })
    }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}
