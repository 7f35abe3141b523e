//! The state as bytes: what a server writes to a file and sends to a colleague.
//!
//! All numbers are little-endian.
//!
//! ```text
//! magic "HSLEARN", version 1                                    8 bytes
//! fingerprint of the key u64, caller's time in ms u64           16
//! number of sites u16, then for each: length u16, authority
//! records until the end, each with a length u32 after its tag:
//!   tag 1, asset: hash u64, site u16, networks u64, age in seconds of the
//!     first and of the last fetch u32 each, flags u8 (1 crowded, 2 shown, 4 cors,
//!     8 immutable, 16 fresh), then if shown: destination u8, bytes u64, validator u64,
//!     path; else: stem u64
//!   tag 2, node: key u64, site u16, level u8, flags u8 (1 gone, 2 named),
//!     weight f32, visits u32, networks u64, number of edges u16, for
//!     each: asset hash u64, hits f32, mute f32, rank f32, networks u64; name
//! CRC-32 of everything before                                    4
//! ```
//!
//! Weights are as of the time of the snapshot. The name of an asset or a page is there
//! only if it has passed the network gate. Open visits and recent votes are not.

use crate::estimate::scale;
use crate::learner::Learner;
use crate::sync::lock;
use crate::time::Time;

pub(crate) const MAGIC: [u8; 8] = *b"HSLEARN\x01";
pub(crate) const ASSET: u8 = 1;
pub(crate) const NODE: u8 = 2;

pub(crate) const CROWDED: u8 = 1;
pub(crate) const SHOWN: u8 = 2;
pub(crate) const CORS: u8 = 4;
pub(crate) const IMMUTABLE: u8 = 8;
pub(crate) const FRESH: u8 = 16;

pub(crate) const GONE: u8 = 1;
pub(crate) const NAMED: u8 = 2;

/// How many table places are written before the model is let go for a moment.
const STRIDE: u32 = 256;

impl Learner {
    /// The state as bytes, for [`Learner::restore`].
    ///
    /// The model is locked for a few hundred pages at a time, so that visits go on
    /// being learned; what is learned meanwhile may be in it or not. O(edges).
    pub fn snapshot(&self, now: Time) -> Vec<u8> {
        let tick = self.tick(now);
        let mut out = Vec::new();
        out.extend(MAGIC);
        out.extend(self.keys.fingerprint().to_le_bytes());
        out.extend(now.as_millis().to_le_bytes());
        let sites = self.sites.names();
        out.extend((sites.len() as u16).to_le_bytes());
        for authority in sites {
            put_text(&mut out, &authority);
        }
        let seconds = u32::try_from(tick.0 / 1000).unwrap_or(u32::MAX);
        self.in_strides(|model, ids| {
            let live = |id| model.assets.get(id).filter(|asset| asset.is_live());
            for asset in ids.clone().filter_map(live) {
                record(&mut out, ASSET, |out| asset.write(seconds, out));
            }
            model.assets.end() > ids.end
        });
        self.in_strides(|model, ids| {
            for id in ids.clone() {
                model.tidy(id, &self.directory);
                let Some(node) = model.nodes.get(id) else { continue };
                let scale = scale(node, model.decay, tick);
                record(&mut out, NODE, |out| {
                    let hash = |id| model.assets.get(id).map_or(0, |asset| asset.hash);
                    node.write(scale, hash, out);
                });
            }
            model.nodes.end() > ids.end
        });
        let checksum = crc32fast::hash(&out);
        out.extend(checksum.to_le_bytes());
        out
    }

    /// Locks the model for one stride of table places at a time, while `work` wants more.
    fn in_strides(&self, mut work: impl FnMut(&mut crate::model::Model, std::ops::Range<u32>) -> bool) {
        let mut start = 0u32;
        while work(&mut lock(&self.model), start..start.saturating_add(STRIDE)) {
            start = start.saturating_add(STRIDE);
        }
    }
}

/// Writes a tag, the length of what `body` writes, and that.
fn record(out: &mut Vec<u8>, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let mark = out.len();
    out.extend([0; 4]);
    body(out);
    let length = (out.len() - mark - 4) as u32;
    if let Some(place) = out.get_mut(mark..mark + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// A text of less than 64 KiB with its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
}
