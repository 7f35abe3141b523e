//! A delta as bytes, for other machines.
//!
//! All numbers are little-endian; a text has its length u16 in front.
//!
//! ```text
//! magic "HSDELTA", version 1                                              8 bytes
//! number of sites u32; each: salt u64, authority
//! number of nodes u32; each: key, bucket, site, weight, think, networks u64 each,
//!   visits u32, level u8, 1 and a name or 0, number of edges u32, for each edge:
//!   asset hash, hits, mute, rank, networks u64 each
//! number of assets u32; each: hash, site, stem, networks u64 each, then 0, or 1 and:
//!   seen, bytes, validator u64 each, destination u8, flags u8 (1 cors, 2 fresh,
//!   4 immutable), path
//! CRC-32 of everything before                                              4 bytes
//! ```

use std::collections::BTreeMap;

use crate::cursor::Cursor;
use crate::delta::{AssetDelta, Delta, Described, EdgeDelta, NodeDelta, NodeKey};
use crate::destination::Destination;
use crate::level::Level;
use crate::networks::Networks;
use crate::observation::Freshness;
use crate::restore::{SnapshotError, delta_body};
use crate::snapshot::put_text;
use crate::visit::{MAX_PATH, Metadata};

pub(crate) const MAGIC: [u8; 8] = *b"HSDELTA\x01";

impl Delta {
    /// The delta as bytes, for [`Delta::from_bytes`]. O(n).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_count(&mut out, self.sites.len());
        for (salt, authority) in &self.sites {
            put(&mut out, &[*salt]);
            put_text(&mut out, authority);
        }
        put_count(&mut out, self.nodes.len());
        for (key, node) in &self.nodes {
            node.write(*key, &mut out);
        }
        put_count(&mut out, self.assets.len());
        for (hash, asset) in &self.assets {
            asset.write(*hash, &mut out);
        }
        let checksum = crc32fast::hash(&out);
        out.extend(checksum.to_le_bytes());
        out
    }

    /// Reads what [`Delta::to_bytes`] wrote. It takes memory in proportion to `bytes`,
    /// whatever numbers stand in them; the caller bounds their length.
    ///
    /// # Errors
    ///
    /// When the bytes are not an unharmed delta.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut cursor = Cursor(delta_body(bytes)?);
        let delta = Self::read(&mut cursor).filter(|_| cursor.is_empty());
        delta.ok_or_else(SnapshotError::malformed)
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut delta = Self::default();
        for _ in 0..cursor.u32()? {
            let salt = cursor.u64()?;
            delta.sites.insert(salt, cursor.text(MAX_PATH)?.into());
        }
        for _ in 0..cursor.u32()? {
            let (key, node) = NodeDelta::read(cursor)?;
            delta.nodes.insert(key, node);
        }
        for _ in 0..cursor.u32()? {
            let hash = cursor.u64()?;
            delta.assets.insert(hash, AssetDelta::read(cursor)?);
        }
        Some(delta)
    }
}

impl NodeDelta {
    fn write(&self, key: NodeKey, out: &mut Vec<u8>) {
        put(out, &[key.key, key.bucket, self.site, self.weight, self.think, self.networks.bits()]);
        out.extend(self.visits.to_le_bytes());
        out.push(self.level.code());
        out.push(u8::from(self.name.is_some()));
        if let Some(name) = &self.name {
            put_text(out, name);
        }
        put_count(out, self.edges.len());
        for (hash, edge) in &self.edges {
            put(out, &[*hash, edge.hits, edge.mute, edge.rank, edge.networks.bits()]);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<(NodeKey, Self)> {
        let key = NodeKey { key: cursor.u64()?, bucket: cursor.u64()? };
        let mut node = Self {
            site: cursor.u64()?,
            weight: cursor.u64()?,
            think: cursor.u64()?,
            networks: Networks::from_bits(cursor.u64()?),
            visits: cursor.u32()?,
            level: Level::from_code(cursor.u8()?)?,
            name: None,
            edges: BTreeMap::new(),
        };
        if cursor.u8()? != 0 {
            node.name = Some(cursor.text(MAX_PATH + 16)?.into());
        }
        for _ in 0..cursor.u32()? {
            let hash = cursor.u64()?;
            let (hits, mute, rank) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
            let networks = Networks::from_bits(cursor.u64()?);
            node.edges.insert(hash, EdgeDelta { hits, mute, rank, networks });
        }
        Some((key, node))
    }
}

impl AssetDelta {
    fn write(&self, hash: u64, out: &mut Vec<u8>) {
        put(out, &[hash, self.site, self.stem, self.networks.bits()]);
        out.push(u8::from(self.shown.is_some()));
        if let Some(Described { seen, path, metadata }) = &self.shown {
            put(out, &[*seen, metadata.bytes, metadata.validator]);
            out.push(metadata.destination as u8);
            let freshness = match metadata.freshness {
                Freshness::Stale => 0,
                Freshness::Fresh => 2,
                Freshness::Immutable => 4,
            };
            out.push(u8::from(metadata.cors) | freshness);
            put_text(out, path);
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (site, stem) = (cursor.u64()?, cursor.u64()?);
        let networks = Networks::from_bits(cursor.u64()?);
        if cursor.u8()? == 0 {
            return Some(Self { site, stem, networks, shown: None });
        }
        let (seen, bytes, validator) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
        let destination = Destination::from_code(cursor.u8()?)?;
        let flags = cursor.u8()?;
        let freshness = match flags & 6 {
            0 => Freshness::Stale,
            2 => Freshness::Fresh,
            _ => Freshness::Immutable,
        };
        let metadata = Metadata { destination, cors: flags & 1 != 0, freshness, bytes, validator };
        let path = cursor.text(MAX_PATH)?.into();
        Some(Self { site, stem, networks, shown: Some(Described { seen, path, metadata }) })
    }
}

fn put(out: &mut Vec<u8>, numbers: &[u64]) {
    out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
